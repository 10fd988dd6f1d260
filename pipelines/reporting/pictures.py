"""Pictures of the report: which ones are shown, as data inside the page, and the contact sheet."""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from pipelines.reporting.run_tables import RunTables
from pipelines.reporting.similarities import NearPair, spread
from synth.errors import ShardError
from synth.images import decode_image, encode_jpeg
from synth.types import Images

GRID_IDENTITIES, GRID_SAMPLES = 24, 8
DROPPED_PER_REASON = 12
PAIR_SAMPLES = 3
SHEET_IDENTITIES, SHEET_SAMPLES = 10, 12
TILE = 112  # px, height and width a picture gets on the page
SHEET_TILE = 128  # px, the same on the contact sheet
PAGE_QUALITY = 85  # of JPEG; the dataset keeps its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture on the page.

    Attributes:
        source: data URL.
        text: what it shows, for those who cannot see it.
        note: written below it; empty for none.
    """

    source: str
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A labelled row of pictures."""

    title: str
    subtitle: str
    pictures: Sequence[Picture]


def kept_rows(tables: RunTables) -> list[Row]:
    """Returns a row for each of some kept identities, evenly spread over all, with its first kept samples."""
    decisions = tables.decisions
    names = decisions.kept_identities[spread(len(decisions.kept_identities), GRID_IDENTITIES)]
    groups = [_samples_of(tables, name, GRID_SAMPLES) for name in names.tolist()]
    pictures = _load(tables, groups, "Kept")
    return [
        Row(title=f"{name}", subtitle=_kept_of(tables, name), pictures=row)
        for name, row in zip(names.tolist(), pictures, strict=True)
    ]


def dropped_row(tables: RunTables, reason: str, numbers: npt.NDArray[np.float32] | None) -> list[Picture]:
    """Returns some of the samples a reason dropped, evenly spread over all; none where `synth clean` freed them.

    Args:
        tables: of the run.
        reason: a filter's name or a rule of the selection.
        numbers: float32 (N,), the filter's column; None for a rule of the selection.
    """
    rows = np.flatnonzero(tables.decisions.dropped_by == reason)
    chosen = rows[spread(len(rows), DROPPED_PER_REASON)]
    chosen = chosen[tables.have_pictures(chosen)]
    notes = ["" if numbers is None else _number(float(numbers[row])) for row in chosen]
    return [
        Picture(source=picture.source, text=f"{picture.text}: {reason} {note}".strip(), note=note)
        for picture, note in zip(_load(tables, [chosen], "Dropped")[0], notes, strict=True)
    ]


def pair_rows(tables: RunTables, pairs: Sequence[NearPair]) -> list[tuple[NearPair, list[Picture], list[Picture]]]:
    """Returns each pair with the first kept samples of both identities."""
    groups = [_samples_of(tables, name, PAIR_SAMPLES) for pair in pairs for name in (pair.first, pair.second)]
    pictures = _load(tables, groups, "Kept")
    return [(pair, pictures[2 * at], pictures[2 * at + 1]) for at, pair in enumerate(pairs)]


def contact_sheet(tables: RunTables) -> bytes:
    """Returns a JPEG of kept faces, identities as rows and samples as columns, marked as synthetic.

    A run that kept nothing gives one grey tile.
    """
    decisions = tables.decisions
    names = decisions.kept_identities[spread(len(decisions.kept_identities), SHEET_IDENTITIES)]
    groups = [_samples_of(tables, name, SHEET_SAMPLES) for name in names.tolist()]
    columns = max((len(rows) for rows in groups), default=1)
    sheet = np.full((max(len(groups), 1) * SHEET_TILE, columns * SHEET_TILE, 3), 238, np.uint8)
    images = iter(tables.pictures(_joined(groups)))
    for row, members in enumerate(groups):
        for column in range(len(members)):
            top, left = row * SHEET_TILE, column * SHEET_TILE
            sheet[top : top + SHEET_TILE, left : left + SHEET_TILE] = _tile(_decoded(tables, next(images)), SHEET_TILE)
    return encode_jpeg(sheet, quality=90)


def _samples_of(tables: RunTables, identity: int, most: int) -> npt.NDArray[np.int64]:
    """Returns the first kept samples of an identity, as positions in the decisions."""
    decisions = tables.decisions
    start, stop = np.searchsorted(decisions.identity, [identity, identity + 1])
    positions: npt.NDArray[np.int64] = start + np.flatnonzero(decisions.kept[start:stop])[:most]
    return positions


def _decoded(tables: RunTables, image: bytes) -> Images:
    """Returns an image of the run.

    Raises:
        ShardError: it is damaged.
    """
    try:
        return decode_image(image)
    except ValueError as error:
        raise ShardError(
            f"{tables.directory.root}: an image of it cannot be shown ({error}); `synth verify` names the damaged shard"
        ) from error


def _kept_of(tables: RunTables, identity: int) -> str:
    decisions = tables.decisions
    start, stop = np.searchsorted(decisions.identity, [identity, identity + 1])
    return f"{int(decisions.kept[start:stop].sum())} of {stop - start} kept"


def _load(tables: RunTables, groups: Sequence[npt.NDArray[np.int64]], fate: str) -> list[list[Picture]]:
    """Reads groups of candidates as pictures for the page, all shards in one pass."""
    rows = _joined(groups)
    decisions = tables.decisions
    pictures = iter(
        [
            Picture(source=as_source(_decoded(tables, image)), text=f"{fate} sample {index} of identity {identity}")
            for image, identity, index in zip(
                tables.pictures(rows), decisions.identity[rows].tolist(), decisions.index[rows].tolist(), strict=True
            )
        ]
    )
    return [[next(pictures) for _ in group] for group in groups]


def as_source(image: npt.NDArray[np.uint8]) -> str:
    """Returns an image, uint8 (H, W, 3) RGB, as a data URL of a JPEG that fits the page, marked as synthetic."""
    encoded = encode_jpeg(_tile(image, TILE), quality=PAGE_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(encoded).decode()}"


def _joined(groups: Sequence[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
    return np.concatenate([np.zeros(0, np.int64), *groups])


def _tile(image: npt.NDArray[np.uint8], side: int) -> npt.NDArray[np.uint8]:
    """Fits an image into a square, uint8 (side, side, 3) RGB; grey where it is not square."""
    picture = Image.fromarray(image)
    scale = side / max(picture.size)
    width, height = (max(1, round(length * scale)) for length in picture.size)
    resized = np.asarray(picture.resize((width, height), Image.Resampling.LANCZOS))
    tile = np.full((side, side, 3), 238, np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    tile[top : top + height, left : left + width] = resized
    return tile


def _number(value: float) -> str:
    return "no number" if math.isnan(value) else f"{value:.3g}"
