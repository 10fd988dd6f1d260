"""Whether synthetic faces are those of known people: the nearest embedding of a gallery for each sample.

Otroshi Shahreza and Marcel (2024), "Unveiling Synthetic Faces: How Synthetic Datasets Can Expose Real Identities"
(arXiv 2410.24015), rank samples by that similarity and look at the first ones. Nothing here returns a vector of the
gallery: rows and cosines are all that leaves it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from synth.audits.classes import Labels
from synth.audits.pairs import pair_blocks
from synth.similarity import Float32, nearest
from synth.types import Vectors

RATES: Final = (1e-4, 1e-5, 1e-6)  # false match rates at which samples are counted
MOST_ROWS: Final = 6000  # of a gallery that its impostor pairs are taken from: 18 million pairs
_BLOCK: Final = 1024


def nearest_in_gallery(
    queries: npt.NDArray[np.floating[Any]], gallery: Iterable[Vectors]
) -> tuple[Float32, npt.NDArray[np.int64], int]:
    """Finds the most similar vector of a gallery for each query, by comparing all.

    Args:
        queries: float (N, E).
        gallery: float32 (B, E) blocks of it, in order; read once, at least one.

    Returns:
        float32 (N,), the largest cosine; int64 (N,), the row of the gallery; and the number of its rows.

    Raises:
        ValueError: its vectors have another length.
    """
    best = np.full(len(queries), -np.inf, dtype=np.float32)
    where = np.zeros(len(queries), dtype=np.int64)
    size = 0
    for block in gallery:
        if block.shape[1] != queries.shape[1]:
            raise ValueError(f"vectors of {block.shape[1]} numbers, the samples' embeddings have {queries.shape[1]}")
        similarity, row = nearest(queries, block)
        better = similarity > best
        best = np.where(better, similarity, best)
        where = np.where(better, row + size, where)
        size += len(block)
    return best, where, size


def impostors_of(embeddings: npt.NDArray[np.floating[Any]], labels: Labels) -> Float32:
    """Returns the cosines of all pairs of vectors of two people, float32 (P,).

    Args:
        embeddings: float (N, E); the number of pairs grows with N squared, see `drawn_rows`.
        labels: integer (N,), the person of each.
    """
    parts = [np.empty(0, dtype=np.float32)]
    for start, other, similarities in pair_blocks(embeddings, _BLOCK):
        rows, columns = similarities.shape
        different = labels[start : start + rows, None] != labels[None, other : other + columns]
        parts.append(similarities[different & (similarities > -np.inf)])
    return np.concatenate(parts)


def drawn_rows(count: int, seed: int) -> npt.NDArray[np.int64]:
    """Returns at most MOST_ROWS rows out of 0..count-1 to calibrate with, int64, increasing."""
    if count <= MOST_ROWS:
        return np.arange(count, dtype=np.int64)
    return np.sort(np.random.default_rng(seed).choice(count, MOST_ROWS, replace=False)).astype(np.int64)


def expected_by_chance(num_samples: int, gallery_size: int, fmr: float) -> float:
    """Returns how many samples would match somebody of a gallery by chance at a false match rate.

    Each comparison is taken for independent of the others, which they are not quite: an order of magnitude, no bound.
    """
    return float(num_samples * -np.expm1(gallery_size * np.log1p(-fmr)))


def more_than_chance(count: int, expected: float, accepted: int) -> bool:
    """Returns whether a count exceeds what is expected by three standard deviations.

    The variance is that of a Poisson distribution, and that of the false match rate, which is known no better than the
    impostors that the threshold lets through are many: expected + expected**2 / accepted.

    Args:
        count: samples that match somebody.
        expected: how many would by chance.
        accepted: impostor pairs at or above the threshold; none are taken for one.
    """
    return count > expected + 3 * math.sqrt(expected + expected**2 / max(accepted, 1))
