"""Numbers and places of selected samples, looked up in the shards they came from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.run_directory import RunDirectory, require_shard
from pipelines.schema import RunConfig
from synth.shards.table import column_names, read_table

Columns = dict[str, npt.NDArray[Any]]

MOST_BYTES = 1 << 30  # of tables a worker keeps; a candidate takes 0.5 to 1.5 kB, most of it the embedding
_PLACE = "place in the shard"
_MEASURED = ("score", "num_faces", "box", "landmarks", "embedding", "aligned_offset", "aligned_size")


class SourceShards:
    """Reads seeds, truth, faces, embeddings and places in the tars from `generate` and `measure`.

    The places are those of the tars at hand: a shard that was made again with other library versions or on other
    hardware may hold the same images elsewhere than when they were selected.

    An export shard draws from nearly all source shards, always in the same order. So a worker keeps the first tables
    it has read, up to `most_bytes`, and reads the others each time: keeping the latest would never find one again.
    """

    def __init__(self, run: RunDirectory, config: RunConfig, most_bytes: int = MOST_BYTES) -> None:
        self._run = run
        self._indices = config.images.per_identity * config.images.max_rounds  # of an identity, most
        self._kept: dict[int, Columns] = {}
        self._room = most_bytes

    def columns(self, selection: Columns) -> Columns:
        """Returns the columns of a selection's rows, in their order.

        Args:
            selection: `identity`, `index` and `source_shard`, (B,) each.
        """
        shards = selection["source_shard"]
        places = self._places(selection)
        found: Columns = {}
        for shard in np.unique(shards).tolist():
            rows = np.flatnonzero(shards == shard)
            table = self._table(shard)
            positions = np.searchsorted(table[_PLACE], places[rows])
            for name, column in table.items():
                if name == _PLACE:
                    continue
                if name not in found:
                    found[name] = np.empty((len(shards), *column.shape[1:]), dtype=_holds_any(column))
                found[name][rows] = column[positions]
        return found

    def _places(self, table: Columns) -> npt.NDArray[np.int64]:
        """Returns a number for each candidate that rises through a shard, int64 (B,)."""
        places: npt.NDArray[np.int64] = table["identity"] * self._indices + table["index"]
        return places

    def _table(self, shard: int) -> Columns:
        if shard in self._kept:
            return self._kept[shard]
        made = require_shard(self._run, "generate", shard) / "samples.parquet"
        seen = require_shard(self._run, "measure", shard) / "samples.parquet"
        places = self._places(read_table(made, ["identity", "index"]))
        table = read_table(made, _generated_columns(made)) | read_table(seen, _MEASURED) | {_PLACE: places}
        size = sum(column.nbytes for column in table.values())
        if size <= self._room:
            self._kept[shard] = table
            self._room -= size
        return table


def _generated_columns(path: Path) -> list[str]:
    truth = [name for name in column_names(path) if name.startswith("truth_")]
    return ["seed", "width", "height", "tar_offset", "tar_size", *truth]


def _holds_any(column: npt.NDArray[Any]) -> np.dtype[Any]:
    """Returns a dtype that holds all shards' values: strings of one shard may be shorter than another's."""
    return np.dtype(object) if column.dtype.kind == "U" else column.dtype
