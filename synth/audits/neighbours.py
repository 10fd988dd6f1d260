"""Identities that are nearly the same: each centre's nearest other one, and groups above a bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synth.audits.pairs import BLOCK, ClosestPairs, pair_blocks
from synth.similarity import Float32, exceeds, rounding_error, unit


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Neighbours:
    """How near the centres of classes are to each other.

    Attributes:
        similarities: float32 (C,), cosine of each centre with its nearest other one; -inf where there is no other.
        nearest: int64 (C,), the row of that one.
        closest: the most similar pairs.
        num_above: pairs whose cosine exceeds the bound.
        components: int64 (C,), the lowest row of the group each centre belongs to: centres are of one group where a
            chain of pairs above the bound joins them.
    """

    similarities: Float32
    nearest: npt.NDArray[np.int64]
    closest: ClosestPairs
    num_above: int
    components: npt.NDArray[np.int64]

    def merged(self) -> list[list[int]]:
        """Returns the groups of more than one centre, the largest first, each as its rows in increasing order."""
        names, sizes = np.unique(self.components, return_counts=True)
        groups = [np.flatnonzero(self.components == name).tolist() for name in names[sizes > 1]]
        return sorted(groups, key=lambda group: (-len(group), group[0]))


def find_neighbours(
    centres: npt.NDArray[np.floating[Any]], bound: float = np.inf, most_pairs: int = 20, block: int = BLOCK
) -> Neighbours:
    """Compares all centres with each other.

    What lies within rounding error of the bound is decided by exact sums, as `synth.similarity.separate` does: centres
    that it kept apart are not found above the same bound.

    Args:
        centres: float (C, E).
        bound: cosine that two identities may have.
        most_pairs: how many of the most similar pairs are returned.
        block: rows that are compared at once; memory grows with its square.
    """
    directions = unit(centres)
    similarities = np.full(len(directions), -np.inf, dtype=np.float32)
    nearest = np.zeros(len(directions), dtype=np.int64)
    closest, groups, num_above = ClosestPairs.none(), _Groups(len(directions)), 0
    for start, other, cosines in pair_blocks(directions, block):
        for axis, own, theirs in ((1, start, other), (0, other, start)):
            largest, at = cosines.max(axis=axis), cosines.argmax(axis=axis)
            mine = slice(own, own + len(largest))
            better = largest > similarities[mine]
            similarities[mine] = np.where(better, largest, similarities[mine])
            nearest[mine] = np.where(better, at + theirs, nearest[mine])
        closest = closest.joined(start, other, cosines, most_pairs)
        above = _above(directions, start, other, cosines, bound)
        num_above += len(above)
        groups.join(above)
    return Neighbours(
        similarities=similarities,
        nearest=nearest,
        closest=closest,
        num_above=num_above,
        components=groups.roots(),
    )


def _above(directions: Float32, start: int, other: int, cosines: Float32, bound: float) -> npt.NDArray[np.int64]:
    """Returns the pairs of a block whose cosine exceeds the bound, int64 (P, 2)."""
    margin = rounding_error(directions.shape[1])
    rows, columns = np.nonzero(cosines > bound - margin)
    pairs = np.stack([rows + start, columns + other], axis=1)
    sure = cosines[rows, columns] > bound + margin
    for at in np.flatnonzero(~sure).tolist():
        sure[at] = exceeds(directions[pairs[at, 0]], directions[pairs[at, 1]], bound)
    return pairs[sure]


class _Groups:
    """Union-find over rows; the root of a group is its lowest row. Tarjan (1975), with path halving."""

    def __init__(self, count: int) -> None:
        self._parents = np.arange(count, dtype=np.int64)

    def roots(self) -> npt.NDArray[np.int64]:
        """Returns the root of each row, int64 (count,)."""
        parents = self._parents
        while not np.array_equal(parents[parents], parents):
            parents = parents[parents]
        self._parents = parents
        return parents.copy()

    def join(self, pairs: npt.NDArray[np.int64]) -> None:
        """Joins the groups of both rows of each pair, int64 (P, 2)."""
        if len(pairs) == 0:
            return
        roots = self.roots()[pairs]
        apart = np.unique(np.sort(roots[roots[:, 0] != roots[:, 1]], axis=1), axis=0)
        for first, second in apart.tolist():
            low, high = sorted((self._root(first), self._root(second)))
            self._parents[high] = low

    def _root(self, row: int) -> int:
        parents = self._parents
        while parents[row] != row:
            parents[row] = parents[parents[row]]
            row = int(parents[row])
        return row
