"""What an audit reads of a run: a line for every kept sample, and all about the samples of some whole classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pipelines.plan import sample_key
from pipelines.run_directory import RunDirectory, require_shard
from pipelines.schema import RunConfig
from pipelines.stages.source_shards import SourceShards
from synth.audits.classes import classes, draw_classes
from synth.errors import RunError
from synth.shards.table import read_table
from synth.similarity import unit
from synth.types import Embeddings, Landmarks

Columns = dict[str, npt.NDArray[Any]]
Integers = npt.NDArray[np.int64]

MOST_CENTRES: Final = 50_000  # classes whose centres are compared with each other: about a minute a comparison

_PLACES = ("aligned_offset", "aligned_size", "tar_offset", "tar_size")


@dataclass(frozen=True, kw_only=True, eq=False)
class Kept:
    """Every kept sample, by label and then by index.

    Attributes:
        labels: int64 (N,).
        identities: int64 (N,).
        indices: int32 (N,), of the candidate within its identity.
        shards: int32 (N,), where it is in `generate` and `measure`.
        places: int64 (N,) by name: offset and size of its image (`tar_*`) and its aligned face (`aligned_*`).
    """

    labels: Integers
    identities: Integers
    indices: npt.NDArray[np.int32]
    shards: npt.NDArray[np.int32]
    places: Mapping[str, Integers]

    @cached_property
    def num_classes(self) -> int:
        """How many classes there are."""
        return len(np.unique(self.labels))

    def rows_of(self, label: int, most: int) -> list[int]:
        """Returns the first rows of a class, at most so many."""
        start, stop = np.searchsorted(self.labels, [label, label + 1]).tolist()
        return list(range(start, min(stop, start + most)))

    def key(self, row: int) -> str:
        """Returns the name of a sample, like '00001234_0007'."""
        return sample_key(int(self.identities[row]), int(self.indices[row]))


@dataclass(frozen=True, kw_only=True, eq=False)
class Drawn:
    """All samples of some whole classes, in the order of `Kept`.

    Attributes:
        rows: int64 (M,), positions in `Kept`, increasing.
        labels: int64 (M,).
        embeddings: float32 (M, E), unit length.
        landmarks: float32 (M, 5, 2), x y in px of the generated image.
        measured: float32 (M,) by name: the filters' numbers and, where none of them is it, the detector's score.
        truth: (M,) by name: what the generator knows; columns of several numbers are left out.
    """

    rows: Integers
    labels: Integers
    embeddings: Embeddings
    landmarks: Landmarks
    measured: Mapping[str, npt.NDArray[np.float32]]
    truth: Mapping[str, npt.NDArray[Any]]

    @cached_property
    def num_classes(self) -> int:
        """How many classes there are."""
        return len(np.unique(self.labels))


@dataclass(frozen=True, kw_only=True, eq=False)
class Material:
    """What the audits look at.

    Attributes:
        config: of the run.
        kept: every sample of the dataset.
        drawn: those that are examined one by one.
        centre_labels: int64 (C,), increasing: classes that are compared with each other, the drawn ones among them.
        centres: float32 (C, E), the mean direction of all samples of each.
    """

    config: RunConfig
    kept: Kept
    drawn: Drawn
    centre_labels: Integers
    centres: Embeddings


def gather(run: RunDirectory, config: RunConfig, most_samples: int, seed: int) -> Material:
    """Reads the tables of a run, a shard at a time.

    Args:
        run: whose selection is committed.
        config: of the run.
        most_samples: about how many are examined one by one; more are drawn only where one class has more.
        seed: of what is drawn.

    Raises:
        RunError: the selection is missing, or nothing was kept.
        ShardError: committed data are missing or damaged.
    """
    selection = _selection(run, config)
    labels = selection["label"]
    drawn_labels = draw_classes(labels, most_samples, seed)
    centre_labels = np.union1d(drawn_labels, _some(np.unique(labels), MOST_CENTRES, seed))
    places = {name: np.empty(len(labels), dtype=np.int64) for name in _PLACES}
    sources = SourceShards(run, config, most_bytes=0)
    is_drawn = np.isin(labels, drawn_labels)
    parts: list[tuple[Integers, Columns]] = []
    sums = None
    for shard in np.unique(selection["source_shard"]).tolist():
        rows = np.flatnonzero(selection["source_shard"] == shard)
        table = sources.columns({name: selection[name][rows] for name in ("identity", "index", "source_shard")})
        for name in _PLACES:
            places[name][rows] = table[name]
        if sums is None:
            sums = np.zeros((len(centre_labels), table["embedding"].shape[1]))
        _add_to_centres(sums, centre_labels, labels[rows], table["embedding"])
        wanted = is_drawn[rows]
        parts.append((rows[wanted], {name: column[wanted] for name, column in table.items() if name not in _PLACES}))
    assert sums is not None
    return Material(
        config=config,
        kept=Kept(
            labels=labels,
            identities=selection["identity"],
            indices=selection["index"],
            shards=selection["source_shard"],
            places=places,
        ),
        drawn=_drawn(selection, parts, config.filter_names),
        centre_labels=centre_labels,
        centres=unit(sums),
    )


def _selection(run: RunDirectory, config: RunConfig) -> Columns:
    """Returns the kept samples by label and index."""
    path = run.shard("select", 0) / "selection.parquet"
    if not path.is_file():
        raise RunError(f"{path}: missing; an audit needs the select stage, finish the run first")
    require_shard(run, "select", 0)
    table = read_table(path, ["label", "identity", "index", "source_shard", *config.filter_names])
    if len(table["label"]) == 0:
        raise RunError(f"{run.root}: nothing was kept, there is nothing to audit; `synth report` says why")
    order = np.lexsort((table["index"], table["identity"], table["label"]))
    return {name: column[order] for name, column in table.items()}


def _some(names: Integers, most: int, seed: int) -> Integers:
    """Returns at most so many of the names, drawn, increasing."""
    if len(names) <= most:
        return names
    return np.sort(np.random.default_rng(seed).choice(names, most, replace=False))


def _add_to_centres(
    sums: npt.NDArray[np.float64], centre_labels: Integers, labels: Integers, embeddings: npt.NDArray[np.float16]
) -> None:
    """Adds the directions of a shard's samples to the sums of their classes, where these are wanted."""
    for rows in classes(labels):
        at = int(np.searchsorted(centre_labels, labels[rows[0]]))
        if at < len(centre_labels) and centre_labels[at] == labels[rows[0]]:
            sums[at] += unit(embeddings[rows]).astype(np.float64).sum(axis=0)


def _drawn(selection: Columns, parts: list[tuple[Integers, Columns]], filter_names: list[str]) -> Drawn:
    rows = np.concatenate([part[0] for part in parts])
    order = np.argsort(rows)
    rows = rows[order]

    def column(name: str) -> npt.NDArray[Any]:
        joined: npt.NDArray[Any] = np.concatenate([table[name] for _, table in parts])[order]
        return joined

    score = {} if "detection" in filter_names else {"score": column("score")}
    truth = [name for name, values in parts[0][1].items() if name.startswith("truth_") and values.ndim == 1]
    return Drawn(
        rows=rows,
        labels=selection["label"][rows],
        embeddings=unit(column("embedding")),
        landmarks=column("landmarks").reshape(-1, 5, 2),
        measured=score | {name: selection[name][rows] for name in filter_names},
        truth={name.removeprefix("truth_"): column(name) for name in truth},
    )
