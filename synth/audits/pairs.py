"""Compares all vectors of a set with each other, a block at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synth.similarity import Float32, unit

BLOCK = 2048  # rows of either side that are compared at once; memory grows with its square
Pairs = npt.NDArray[np.int64]  # (P, 2), rows, first < second


@dataclass(frozen=True, slots=True, eq=False)
class ClosestPairs:
    """The most similar pairs of a set, most similar first, equal ones in the order of their rows.

    Attributes:
        pairs: int64 (P, 2), rows, first < second.
        similarities: float32 (P,), cosine.
    """

    pairs: Pairs
    similarities: Float32

    @classmethod
    def none(cls) -> ClosestPairs:
        """Returns no pairs."""
        return cls(np.empty((0, 2), dtype=np.int64), np.empty(0, dtype=np.float32))

    def joined(self, start: int, other: int, similarities: Float32, most: int) -> ClosestPairs:
        """Returns the closest of these pairs and those of a block, at most `most`.

        Args:
            start: row that the block's first row stands for.
            other: row that its first column stands for.
            similarities: float32 (R, K), -inf for what is no pair.
            most: how many are kept.
        """
        flat = similarities.ravel()
        bar = self.similarities[-1] if len(self.similarities) >= most else np.float32(-np.inf)
        if len(flat) > most:
            bar = max(bar, np.partition(flat, -most)[-most])
        at = np.flatnonzero((flat >= bar) & (flat > -np.inf))
        rows, columns = np.divmod(at, similarities.shape[1])
        return self.with_pairs(np.stack([rows + start, columns + other], axis=1), flat[at], most)

    def with_pairs(self, pairs: Pairs, similarities: Float32, most: int) -> ClosestPairs:
        """Returns the closest of these pairs and the given ones, int64 (P, 2) and float32 (P,), at most `most`."""
        pairs = np.concatenate([self.pairs, pairs])
        values = np.concatenate([self.similarities, similarities])
        order = np.lexsort((pairs[:, 1], pairs[:, 0], -values))[:most]
        return ClosestPairs(pairs[order], values[order])


def pair_blocks(vectors: npt.NDArray[np.floating[Any]], block: int = BLOCK) -> Iterator[tuple[int, int, Float32]]:
    """Yields the cosines of all pairs of rows, each pair once.

    Args:
        vectors: float (N, D).
        block: rows that are compared at once.

    Yields:
        The rows that a block's first row and first column stand for, and float32 (R, K) cosines, -1..1, up to rounding;
        -inf for a row with itself and for pairs that come the other way round.
    """
    directions = unit(vectors)
    for start in range(0, len(directions), block):
        for other in range(start, len(directions), block):
            similarities = directions[start : start + block] @ directions[other : other + block].T
            if other == start:
                similarities[np.tril_indices(len(similarities))] = -np.inf
            yield start, other, similarities


def closest_pairs(vectors: npt.NDArray[np.floating[Any]], most: int, block: int = BLOCK) -> ClosestPairs:
    """Finds the most similar pairs of rows of float (N, D), at most `most`."""
    found = ClosestPairs.none()
    for start, other, similarities in pair_blocks(vectors, block):
        found = found.joined(start, other, similarities, most)
    return found
