"""What the report reads: the tables, pictures and records of a run directory, a few columns at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.run_directory import RunDirectory
from synth.errors import RunError
from synth.shards.manifest import ShardRecord
from synth.shards.table import column_names, read_table
from synth.shards.tar import TarReader

KEY_COLUMNS = ("identity", "index", "source_shard", "kept", "dropped_by", "label")


@dataclass(frozen=True, kw_only=True)
class Decisions:
    """Every candidate of a run and what became of it, identity-major.

    Attributes:
        identity: int64 (N,).
        index: int32 (N,), 0.. within the identity.
        shard: int32 (N,), the generate and measure shard it is in.
        kept: bool (N,).
        dropped_by: str (N,), '' where kept.
    """

    identity: npt.NDArray[np.int64]
    index: npt.NDArray[np.int32]
    shard: npt.NDArray[np.int32]
    kept: npt.NDArray[np.bool_]
    dropped_by: npt.NDArray[Any]

    @cached_property
    def kept_identities(self) -> npt.NDArray[np.int64]:
        """Identities with at least one kept sample, int64, increasing."""
        return np.unique(self.identity[self.kept])

    def rows_of_shard(self, shard: int) -> npt.NDArray[np.int64]:
        """Returns the positions of a shard's candidates, int64, increasing."""
        order, shards = self._by_shard
        start, stop = np.searchsorted(shards, [shard, shard + 1])
        return order[start:stop]

    @cached_property
    def _by_shard(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        order = np.argsort(self.shard, kind="stable")
        return order, self.shard[order]


class RunTables:
    """A run directory whose stages up to `select` are committed.

    Attributes:
        directory: of the run.
        run: content of run.json.

    Raises:
        RunError: run.json or the selection is missing or unreadable.
    """

    def __init__(self, path: Path) -> None:
        self.directory = RunDirectory(path)
        self.run = self.directory.read_run()
        if not self._decisions_path.is_file():
            raise RunError(f"{self._decisions_path}: missing; a report needs the select stage, finish the run first")

    @property
    def config(self) -> Mapping[str, Any]:
        """The configuration of the run, as run.json holds it."""
        config = self.run.get("config", {})
        return config if isinstance(config, Mapping) else {}

    @cached_property
    def decisions(self) -> Decisions:
        """What became of each candidate."""
        table = read_table(self._decisions_path, KEY_COLUMNS[:-1])
        return Decisions(
            identity=table["identity"],
            index=table["index"],
            shard=table["source_shard"],
            kept=table["kept"],
            dropped_by=table["dropped_by"],
        )

    @cached_property
    def shortfalls(self) -> dict[str, npt.NDArray[Any]]:
        """Identities that have fewer images than they should, a row each; see `pipelines.stages.shortfalls`."""
        return read_table(self._decisions_path.with_name("shortfalls.parquet"))

    @cached_property
    def filters(self) -> list[str]:
        """Names of the filter columns, in their order in the tables."""
        return [name for name in column_names(self._decisions_path) if name not in KEY_COLUMNS]

    def numbers(self, name: str) -> npt.NDArray[np.float32]:
        """Returns the numbers of one filter, float32 (N,), in the order of `decisions`."""
        return read_table(self._decisions_path, [name])[name]

    def shard_table(self, stage: str, shard: int, columns: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
        """Returns columns of a shard's samples.parquet."""
        return read_table(self.directory.shard(stage, shard) / "samples.parquet", columns)

    def truth_columns(self) -> list[str]:
        """Returns the names of the truth columns, without 'truth_'; empty for generators that know nothing."""
        shards = np.unique(self.decisions.shard)
        if len(shards) == 0:
            return []
        names = column_names(self.directory.shard("generate", int(shards[0])) / "samples.parquet")
        return [name.removeprefix("truth_") for name in names if name.startswith("truth_")]

    def records(self, stage: str) -> Iterator[ShardRecord]:
        """Yields the records of a stage's committed shards, in order."""
        for shard in self.directory.shards(stage):
            yield ShardRecord.read(shard)

    def pictures(self, rows: npt.NDArray[np.int64]) -> list[bytes]:
        """Returns the encoded images of candidates, byte for byte as generated.

        Args:
            rows: int64 (N,), positions in `decisions`.
        """
        found: dict[int, bytes] = {}
        shards = self.decisions.shard[rows]
        for shard in np.unique(shards).tolist():
            found.update(self._pictures_of_shard(shard, rows[shards == shard]))
        return [found[row] for row in rows.tolist()]

    def have_pictures(self, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Returns which candidates' images are there, bool (N,): `synth clean` frees those of rejected ones.

        Args:
            rows: int64 (N,), positions in `decisions`.
        """
        there = np.ones(len(rows), dtype=np.bool_)
        if not self.directory.cleaned.exists():
            return there
        for shard in np.unique(self.decisions.shard[rows]).tolist():
            of_shard = self.decisions.shard[rows] == shard
            places = self.shard_table("generate", shard, ["identity", "index", "tar_size"])
            there[of_shard] = (
                places["tar_size"][self.positions(places["identity"], places["index"], rows[of_shard])] > 0
            )
        return there

    def _pictures_of_shard(self, shard: int, rows: npt.NDArray[np.int64]) -> dict[int, bytes]:
        places = self.shard_table("generate", shard, ["identity", "index", "tar_offset", "tar_size"])
        where = self.positions(places["identity"], places["index"], rows)
        with TarReader(self.directory.shard("generate", shard) / "images.tar") as tar:
            return {
                row: tar.read(int(places["tar_offset"][at]), int(places["tar_size"][at]))
                for row, at in zip(rows.tolist(), where.tolist(), strict=True)
            }

    def positions(
        self, identity: npt.NDArray[np.int64], index: npt.NDArray[np.int32], rows: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        """Returns where rows of `decisions` are in a shard's table, int64 (len(rows),).

        Args:
            identity: int64 (M,), the table's identities; identity-major.
            index: int32 (M,), the table's indices.
            rows: int64, positions in `decisions`; all of them are in the table.

        Raises:
            RunError: a row is not in the table.
        """
        table = sample_keys(identity, index)
        wanted = sample_keys(self.decisions.identity[rows], self.decisions.index[rows])
        order = np.argsort(table, kind="stable")
        at = np.searchsorted(table, wanted, sorter=order).clip(max=max(len(table) - 1, 0))
        where = order[at] if len(table) else at
        if len(wanted) and (len(table) == 0 or not np.array_equal(table[where], wanted)):
            raise RunError(
                f"{self._decisions_path}: decides on samples no shard holds; run `synth verify {self.directory.root}`"
            )
        return where.astype(np.int64)

    @property
    def _decisions_path(self) -> Path:
        return self.directory.shard("select", 0) / "decisions.parquet"


def sample_keys(identity: npt.NDArray[np.int64], index: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Returns one number per sample, int64 (N,); identities below 2**31 and indices below 2**32 never collide."""
    return (identity.astype(np.int64) << 32) | index.astype(np.int64)
