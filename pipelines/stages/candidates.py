"""The measured candidates of a run, as `select` reads them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.plan import identity_tasks
from pipelines.run_directory import RunDirectory, require_shard
from pipelines.schema import RunConfig
from synth.shards.table import read_table

Columns = dict[str, npt.NDArray[Any]]


def read_candidates(config: RunConfig, run: RunDirectory) -> Columns:
    """Reads the columns that decide, of all shards, identity-major.

    Returns:
        (B,) by name: identity, index, found, each filter's number, tar_size, source_shard, and the truth column that
        is balanced, if one is.
    """
    parts = []
    measured = ["identity", "index", "found", *config.filter_names]
    balance = config.selection.balance
    generated = ["tar_size", *([balance.column] if balance else [])]
    for task in identity_tasks(config.identities.count, config.images.identities_per_shard):
        faces = read_table(require_shard(run, "measure", task.shard) / "samples.parquet", measured)
        made = read_table(require_shard(run, "generate", task.shard) / "samples.parquet", generated)
        shard = np.full(len(faces["identity"]), task.shard, dtype=np.int32)
        parts.append(faces | made | {"source_shard": shard})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def read_embeddings(
    run: RunDirectory, candidates: Columns, kept: npt.NDArray[np.bool_]
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.float16]]]:
    """Yields a shard's kept rows, int64 (K,), and their embeddings, float16 (K, E), one shard after the other.

    Args:
        run: that the candidates are of.
        candidates: as `read_candidates` returns them.
        kept: bool (B,); shards without any are left out.
    """
    shards = candidates["source_shard"]
    for shard in np.unique(shards[kept]).tolist():
        start, stop = np.searchsorted(shards, [shard, shard + 1])
        inside = kept[start:stop]
        path = require_shard(run, "measure", shard) / "samples.parquet"
        yield start + np.flatnonzero(inside), read_table(path, ["embedding"])["embedding"][inside]
