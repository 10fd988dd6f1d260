"""Cosine similarity between many vectors, in bounded memory."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]

_UNIT_ROWS = 4096  # rows made wide at once: all of a million would need eight times their memory


def unit(vectors: npt.NDArray[np.floating[Any]]) -> Float32:
    """Returns vectors (N, D) with their rows scaled to length 1, float32; rows of zeros stay zero."""
    directions = np.empty(vectors.shape, dtype=np.float32)
    for start in range(0, len(vectors), _UNIT_ROWS):
        wide = vectors[start : start + _UNIT_ROWS].astype(np.float64)
        lengths = np.sqrt((wide * wide).sum(axis=1, keepdims=True))
        directions[start : start + _UNIT_ROWS] = wide / np.where(lengths > 0, lengths, 1)
    return directions


def cosine(first: npt.NDArray[np.floating[Any]], second: npt.NDArray[np.floating[Any]]) -> Float32:
    """Returns the cosine of each row of `first` (N, D) with the same row of `second`, float32 (N,), -1..1."""
    products = unit(first).astype(np.float64) * unit(second)
    clipped: Float32 = np.clip(products.sum(axis=1), -1, 1).astype(np.float32)
    return clipped


def cosine_matrix(first: npt.NDArray[np.floating[Any]], second: npt.NDArray[np.floating[Any]]) -> Float32:
    """Returns the cosines of all rows of `first` (N, D) with all rows of `second` (M, D), float32 (N, M)."""
    clipped: Float32 = np.clip(unit(first) @ unit(second).T, -1, 1)
    return clipped


def nearest(
    queries: npt.NDArray[np.floating[Any]], gallery: npt.NDArray[np.floating[Any]], block: int = 4096
) -> tuple[Float32, npt.NDArray[np.int64]]:
    """Finds for each query the most similar row of a gallery.

    Args:
        queries: float (N, D).
        gallery: float (M, D), M >= 1.
        block: rows of either that are compared at once; memory grows with its square.

    Returns:
        float32 (N,), the largest cosine, and int64 (N,), the row of the gallery (the first of equal ones).
    """
    left, right = unit(queries), unit(gallery)
    best = np.full(len(left), -np.inf, dtype=np.float32)
    where = np.zeros(len(left), dtype=np.int64)
    for start in range(0, len(left), block):
        rows = slice(start, start + block)
        for other in range(0, len(right), block):
            similarities = left[rows] @ right[other : other + block].T
            column = similarities.argmax(axis=1)
            value = similarities[np.arange(len(column)), column]
            better = value > best[rows]
            best[rows] = np.where(better, value, best[rows])
            where[rows] = np.where(better, column + other, where[rows])
    return np.clip(best, -1, 1), where


def centroids(embeddings: npt.NDArray[np.floating[Any]], groups: npt.NDArray[np.integer[Any]]) -> Float32:
    """Returns the mean direction of each group, float32 (G, D) of unit length, in the order of `np.unique(groups)`.

    Args:
        embeddings: float (N, D); each row counts with length 1, rows of zeros do not count.
        groups: integer (N,).
    """
    directions = unit(embeddings).astype(np.float64)
    names = np.unique(groups)
    sums = [directions[groups == name].sum(axis=0) for name in names]
    return unit(np.array(sums, dtype=np.float64).reshape(len(names), embeddings.shape[1]))


def leave_one_out(embeddings: npt.NDArray[np.floating[Any]], groups: npt.NDArray[np.integer[Any]]) -> Float32:
    """Compares each embedding with the mean direction of the other ones of its group.

    Args:
        embeddings: float (N, D); rows of zeros count for nobody.
        groups: integer (N,).

    Returns:
        float32 (N,), cosine, -1..1; NaN for rows of zeros and where no other member is left.
    """
    directions = unit(embeddings).astype(np.float64)
    present = (directions != 0).any(axis=1)
    result = np.full(len(directions), np.nan, dtype=np.float32)
    for name in np.unique(groups):
        rows = np.flatnonzero((groups == name) & present)
        if len(rows) > 1:
            members = directions[rows]
            result[rows] = cosine(members, members.sum(axis=0) - members)
    return result


def separate(
    vectors: npt.NDArray[np.floating[Any]],
    max_similarity: float,
    block: int = 2048,
    num_settled: int = 0,
    device: str = "cpu",
) -> npt.NDArray[np.bool_]:
    """Chooses vectors no two of which are more similar than a bound: greedy, in row order.

    A row is kept unless its cosine with a row kept before exceeds the bound. Blocks are compared by float32 matrix
    products, whose last bits depend on the shape of the blocks; whatever lies within their rounding error of the
    bound is decided by exact sums, so that the choice does not depend on the block size or the machine.

    Args:
        vectors: float (N, D).
        max_similarity: cosine, -1..1, that still passes.
        block: rows that are compared at once; memory grows with its square.
        num_settled: so many rows at the start were chosen before; they are kept and not compared with each other.
        device: 'cpu', or 'cuda' or 'cuda:N' to compare on a GPU through torch; the choice is the same.

    Returns:
        bool (N,), True where kept.

    Raises:
        ValueError: torch sees no such device.
        DeviceMemoryError: the vectors do not fit the device.
    """
    if device != "cpu":
        from synth.torch_runtime import prepare
        from synth.torch_similarity import separate_on

        return separate_on(prepare(device), vectors, max_similarity, block, num_settled)
    directions = unit(vectors)
    kept = np.zeros(len(directions), dtype=np.bool_)
    kept[:num_settled] = True
    for start in range(num_settled, len(directions), block):
        rows = np.arange(start, min(start + block, len(directions)))
        alive = np.ones(len(rows), dtype=np.bool_)
        before = np.flatnonzero(kept)
        for other in range(0, len(before), block):
            _strike_out(directions, rows, before[other : other + block], alive, max_similarity)
        kept[rows] = _greedy(directions, rows, alive, max_similarity)
    return kept


def _strike_out(
    directions: Float32,
    rows: npt.NDArray[np.int64],
    kept: npt.NDArray[np.int64],
    alive: npt.NDArray[np.bool_],
    max_similarity: float,
) -> None:
    """Clears `alive` of the rows that are too similar to one of the kept rows."""
    candidates = np.flatnonzero(alive)
    similarities = directions[rows[candidates]] @ directions[kept].T
    margin = rounding_error(directions.shape[1])
    largest = similarities.max(axis=1, initial=-np.inf)
    alive[candidates[largest > max_similarity + margin]] = False
    for k in np.flatnonzero(np.abs(largest - max_similarity) <= margin):
        close = np.flatnonzero(similarities[k] >= max_similarity - margin)
        row = rows[candidates[k]]
        alive[candidates[k]] = not any(exceeds(directions[row], directions[kept[c]], max_similarity) for c in close)


def _greedy(
    directions: Float32, rows: npt.NDArray[np.int64], alive: npt.NDArray[np.bool_], max_similarity: float
) -> npt.NDArray[np.bool_]:
    """Returns which rows of one block are kept, bool (block,); `alive` are those that the blocks before allow."""
    members = directions[rows]
    similarities = members @ members.T
    margin = rounding_error(directions.shape[1])
    kept = alive.copy()
    for k in range(len(rows)):
        if not kept[k]:
            continue
        later = similarities[k, k + 1 :]
        close = np.flatnonzero((np.abs(later - max_similarity) <= margin) & kept[k + 1 :]) + k + 1
        kept[k + 1 :] &= later <= max_similarity + margin
        for c in close:
            kept[c] = not exceeds(members[k], members[c], max_similarity)
    return kept


def rounding_error(dimension: int) -> float:
    """Bounds the error of a float32 dot product of two unit vectors, whatever the order of its sum.

    Higham (2002), Accuracy and Stability of Numerical Algorithms, section 3.1: n u / (1 - n u) times the sum of
    the absolute products, which is at most 1 for unit vectors (here doubled, for their own rounding).
    """
    return 2 * dimension * 2.0**-24


def exceeds(first: Float32, second: Float32, bound: float) -> bool:
    """Compares the exactly rounded dot product of two float32 vectors with a bound."""
    return math.fsum(first.astype(np.float64) * second) > bound
