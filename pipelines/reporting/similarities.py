"""How alike kept faces are: genuine and impostor pairs, and the most similar pairs of identities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.plan import in_round
from pipelines.reporting.run_tables import RunTables
from synth.audits.pairs import closest_pairs
from synth.shards.array import read_array
from synth.similarity import unit
from synth.verification import equal_error_rate, error_rates, genuine_pairs, impostor_pairs, pair_scores

MAX_SHARDS = 16  # whose embeddings are read
MAX_IDENTITIES = 512  # that pairs are drawn from
MAX_SAMPLES = 16  # of each of them
MAX_IMPOSTOR_PAIRS = 200_000
MAX_CENTROIDS = 10_000  # identities that are compared with each other
SEED = 20_260_101  # of the impostor pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Similarities of pairs of kept samples.

    Attributes:
        genuine: float64 (P,), cosine of two samples of one identity.
        impostor: float64 (Q,), cosine of samples of two identities.
        identities: that the pairs were drawn from.
        samples: that the pairs were drawn from.
        error_rate: equal error rate, 0..1.
        threshold: similarity where both errors are closest.
    """

    genuine: npt.NDArray[np.float64]
    impostor: npt.NDArray[np.float64]
    identities: int
    samples: int
    error_rate: float
    threshold: float


@dataclass(frozen=True, slots=True)
class NearPair:
    """Two kept identities and the cosine of their centroids."""

    first: int
    second: int
    similarity: float


def spread(count: int, most: int) -> npt.NDArray[np.int64]:
    """Returns at most `most` positions out of 0..count-1, evenly spaced, int64."""
    if count <= most:
        return np.arange(count, dtype=np.int64)
    return np.linspace(0, count - 1, most).round().astype(np.int64)


def similarity_pairs(tables: RunTables) -> Pairs | None:
    """Draws genuine and impostor pairs among kept samples; the same run gives the same pairs.

    Returns:
        None where there are no two kept identities with two kept samples of one.
    """
    embeddings, identities = _kept_embeddings(tables)
    genuine = pair_scores(embeddings, genuine_pairs(identities))
    impostor = pair_scores(embeddings, impostor_pairs(identities, MAX_IMPOSTOR_PAIRS, SEED))
    if len(genuine) == 0 or len(impostor) == 0:
        return None
    return Pairs(
        genuine=genuine,
        impostor=impostor,
        identities=len(np.unique(identities)),
        samples=len(identities),
        error_rate=equal_error_rate(genuine, impostor),
        threshold=_crossing(genuine, impostor),
    )


def nearest_pairs(tables: RunTables, num_pairs: int) -> tuple[list[NearPair], int]:
    """Finds the most similar pairs of kept identities by their centroids.

    Returns:
        At most `num_pairs` pairs, most similar first, and how many identities were compared.
    """
    names, vectors = _kept_centroids(tables)
    found = closest_pairs(vectors, num_pairs)
    pairs = zip(names[found.pairs].tolist(), found.similarities.tolist(), strict=True)
    return [NearPair(first, second, similarity) for (first, second), similarity in pairs], len(names)


def _kept_embeddings(tables: RunTables) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Returns embeddings (N, E) and identities (N,) of a bounded, evenly spread choice of kept samples."""
    decisions = tables.decisions
    shards = np.unique(decisions.shard[decisions.kept])
    chosen = shards[spread(len(shards), MAX_SHARDS)]
    blocks, names = [], []
    for shard in chosen.tolist():
        rows = _choose_rows(tables, shard, MAX_IDENTITIES // len(chosen))
        table = tables.shard_table("measure", shard, ["identity", "index", "embedding"])
        where = tables.positions(table["identity"], table["index"], rows)
        blocks.append(unit(table["embedding"][where]))
        names.append(decisions.identity[rows])
    if not blocks:
        return np.zeros((0, 1), np.float32), np.zeros(0, np.int64)
    return np.concatenate(blocks), np.concatenate(names)


def _choose_rows(tables: RunTables, shard: int, num_identities: int) -> npt.NDArray[np.int64]:
    """Returns the first kept samples of some identities of a shard, as positions in the decisions."""
    decisions = tables.decisions
    rows = decisions.rows_of_shard(shard)
    rows = rows[decisions.kept[rows]]
    identities = np.unique(decisions.identity[rows])
    chosen = identities[spread(len(identities), num_identities)]
    parts = [rows[decisions.identity[rows] == identity][:MAX_SAMPLES] for identity in chosen]
    return np.concatenate(parts).astype(np.int64)


def _crossing(genuine: npt.NDArray[np.float64], impostor: npt.NDArray[np.float64]) -> float:
    """Returns the threshold where the two error rates are closest, the lowest of equal ones."""
    thresholds, fmr, fnmr = error_rates(genuine, impostor)
    return float(thresholds[np.argmin(np.abs(fmr - fnmr))])


def _kept_centroids(tables: RunTables) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Returns kept identities (G,), at most MAX_CENTROIDS evenly spread ones, and their centroids (G, E).

    The centroids are of all candidates of the first round, which every identity was in.
    """
    decisions = tables.decisions
    wanted = decisions.kept_identities[spread(len(decisions.kept_identities), MAX_CENTROIDS)]
    names, blocks = [np.zeros(0, np.int64)], []
    for shard in np.unique(in_round(decisions.shard[decisions.kept], 0)).tolist():
        present = np.unique(decisions.identity[decisions.rows_of_shard(shard)])
        rows = np.flatnonzero(np.isin(present, wanted))
        blocks.append(read_array(tables.directory.shard("measure", shard) / "centroids.npy")[rows].astype(np.float32))
        names.append(present[rows])
    return np.concatenate(names), np.concatenate(blocks) if blocks else np.zeros((0, 1), np.float32)
