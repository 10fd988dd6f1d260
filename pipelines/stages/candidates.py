"""The measured candidates of a run, as `select` reads them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.plan import identity_tasks, in_round
from pipelines.run_directory import RunDirectory, require_shard
from pipelines.schema import RunConfig
from pipelines.stages.rounds import has_candidates
from synth.shards.table import read_table

Columns = dict[str, npt.NDArray[Any]]


def read_candidates(config: RunConfig, run: RunDirectory) -> Columns:
    """Reads the columns that decide, of all shards, identity-major and by index.

    Returns:
        (B,) by name: identity, index, found, each filter's number, tar_size, source_shard, and the truth column that
        is balanced, if one is.
    """
    parts = []
    measured = ["identity", "index", "found", *config.filter_names]
    balance = config.selection.balance
    generated = ["tar_size", *([balance.column] if balance else [])]
    images = config.images
    for task in identity_tasks(config.identities.count, images.identities_per_shard, images.max_rounds):
        if not has_candidates(run, task.shard):
            continue
        faces = read_table(require_shard(run, "measure", task.shard) / "samples.parquet", measured)
        made = read_table(require_shard(run, "generate", task.shard) / "samples.parquet", generated)
        shard = np.full(len(faces["identity"]), task.shard, dtype=np.int32)
        parts.append(faces | made | {"source_shard": shard})
    candidates = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    if images.max_rounds == 1:
        return candidates
    order = np.lexsort((candidates["index"], candidates["identity"]))  # later rounds among the first
    return {name: column[order] for name, column in candidates.items()}


def read_embeddings(
    run: RunDirectory, candidates: Columns, kept: npt.NDArray[np.bool_]
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.float16]]]:
    """Yields the kept rows of a range of identities, int64 (K,), and their embeddings, float16 (K, E).

    A range is that of a shard, with all its rounds; they come one after the other.

    Args:
        run: that the candidates are of.
        candidates: as `read_candidates` returns them.
        kept: bool (B,); ranges without any are left out.
    """
    first_shards = in_round(candidates["source_shard"], 0)
    for shard in np.unique(first_shards[kept]).tolist():
        start, stop = np.searchsorted(first_shards, [shard, shard + 1])
        inside = kept[start:stop]
        yield start + np.flatnonzero(inside), _embeddings(run, candidates["source_shard"][start:stop])[inside]


def _embeddings(run: RunDirectory, shards: npt.NDArray[np.int32]) -> npt.NDArray[np.float16]:
    """Returns the embeddings of all candidates of some shards, float16 (B, E); shards: of each, int32 (B,)."""
    tables = {
        shard: read_table(require_shard(run, "measure", shard) / "samples.parquet", ["embedding"])["embedding"]
        for shard in np.unique(shards).tolist()
    }
    first = next(iter(tables.values()))
    embeddings = np.empty((len(shards), *first.shape[1:]), dtype=first.dtype)
    for shard, table in tables.items():
        embeddings[shards == shard] = table
    return embeddings
