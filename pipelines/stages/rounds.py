"""What earlier rounds made of a range of identities: who is still short of images, and the faces that are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from filters.base import within
from pipelines.plan import in_round, round_of
from pipelines.run_directory import RunDirectory, require_shard
from pipelines.schema import RunConfig
from pipelines.stages.stored_faces import StoredFaces, StoredShard
from synth.images import decode_image
from synth.shards.manifest import ShardRecord
from synth.shards.table import read_table
from synth.shards.tar import TarReader
from synth.types import Images

Columns = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Candidates with what a recogniser saw in them.

    Attributes:
        identities: int64 (B,).
        indices: int32 (B,).
        images: decoded, uint8 RGB (B, H, W, 3).
        faces: as `measure` stores them.
    """

    identities: npt.NDArray[np.int64]
    indices: npt.NDArray[np.int32]
    images: Images
    faces: StoredFaces


class EarlierRounds:
    """The rounds before that of a shard, for the shard's range of identities.

    Args:
        run: the shard's; `generate` and `measure` have the earlier rounds of its range.
        config: of the run.
        shard: of `generate` or `measure`.
    """

    def __init__(self, run: RunDirectory, config: RunConfig, shard: int) -> None:
        self._run = run
        self._config = config
        earlier = [in_round(shard, number) for number in range(round_of(shard))]
        self._shards = [shard for shard in earlier if has_candidates(run, shard)]

    def short(self) -> npt.NDArray[np.int64]:
        """Returns the identities that have fewer images within all bounds than the quota, int64 (N,), increasing."""
        columns = ["identity", "found", *self._config.filter_names]
        paths = [require_shard(self._run, "measure", shard) / "samples.parquet" for shard in self._shards]
        tables = [read_table(path, columns) for path in paths]
        identities, rows = np.unique(np.concatenate([table["identity"] for table in tables]), return_inverse=True)
        passed = np.concatenate([passes(self._config, table) for table in tables])
        return identities[np.bincount(rows, weights=passed) < self._config.quota]

    def together_with(self, new: Candidates) -> tuple[Candidates, npt.NDArray[np.bool_]]:
        """Returns candidates of this round among those that their identities had before.

        Args:
            new: whole identities of this round.

        Returns:
            All candidates of these identities so far, identity-major and by index; and which of them are new, in the
            order they have in `new`, bool (B,).
        """
        parts = [new, *(part for identity in np.unique(new.identities).tolist() for part in self._of(identity))]
        identities = np.concatenate([part.identities for part in parts])
        indices = np.concatenate([part.indices for part in parts])
        order = np.lexsort((indices, identities))
        everything = Candidates(
            identities=identities[order],
            indices=indices[order],
            images=np.concatenate([part.images for part in parts])[order],
            faces=StoredFaces.joined([part.faces for part in parts]).take(order),
        )
        return everything, order < len(new.identities)

    def _of(self, identity: int) -> Iterator[Candidates]:
        """Yields an identity's candidates of each earlier round that it was in."""
        for shard, (generated, measured) in self._tables.items():
            start, stop = np.searchsorted(generated["identity"], [identity, identity + 1]).tolist()
            if start == stop:
                continue
            with TarReader(self._run.shard("generate", shard) / "images.tar") as tar:
                places = zip(generated["tar_offset"][start:stop], generated["tar_size"][start:stop], strict=True)
                images = np.stack([decode_image(tar.read(int(offset), int(size))) for offset, size in places])
            yield Candidates(
                identities=generated["identity"][start:stop],
                indices=generated["index"][start:stop],
                images=images,
                faces=measured.rows(slice(start, stop)),
            )

    @cached_property
    def _tables(self) -> dict[int, tuple[Columns, StoredShard]]:
        return {
            shard: (
                read_table(
                    require_shard(self._run, "generate", shard) / "samples.parquet",
                    ["identity", "index", "tar_offset", "tar_size"],
                ),
                StoredShard.read(require_shard(self._run, "measure", shard)),
            )
            for shard in self._shards
        }


def passes(config: RunConfig, table: Columns) -> npt.NDArray[np.bool_]:
    """Returns which candidates have a face and are within the bounds of all filters.

    Args:
        config: with the bounds.
        table: `found` and a column for each filter, (B,) each.

    Returns:
        bool (B,).
    """
    passed = table["found"].copy()
    for name, section in zip(config.filter_names, config.filters, strict=True):
        passed &= within(table[name], *section.bounds)
    return passed


def has_candidates(run: RunDirectory, shard: int) -> bool:
    """Returns whether a shard of `generate` holds any: where nobody was short, that of a later round has no table."""
    return ShardRecord.read(require_shard(run, "generate", shard)).counts["images"] > 0
