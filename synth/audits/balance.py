"""How evenly a dataset covers an attribute, and whether its groups are equally easy to tell apart."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synth.audits.classes import Labels
from synth.verification import Pairs, Scores

MOST_GROUPS = 12  # of names and whole numbers; of more names the rare ones are put together
NUM_BINS = 8  # that a measurement is cut into, about
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Groups:
    """The groups of an attribute.

    Attributes:
        names: of the groups, in order.
        codes: int64 (N,), the group of each row; -1 where the attribute is not known.
    """

    names: Sequence[str]
    codes: npt.NDArray[np.int64]

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """How many rows each group has, int64 (groups,)."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.names)).astype(np.int64)


def group(values: npt.NDArray[Any]) -> Groups:
    """Groups rows by an attribute.

    Yes and no are two groups, names, the most frequent first, and few whole numbers are groups as they are, and a
    measurement is cut into about eight bins of equal width between round numbers.

    Args:
        values: bool, integer, float or string (N,), N >= 1; floats that are not finite are not known.
    """
    if values.dtype.kind == "b":
        return Groups(names=("no", "yes"), codes=values.astype(np.int64))
    if values.dtype.kind not in "iuf":
        return _named(values.astype(np.str_))
    if values.dtype.kind in "iu" and len(np.unique(values)) <= MOST_GROUPS:
        found, codes = np.unique(values, return_inverse=True)
        return Groups(names=[str(number) for number in found.tolist()], codes=codes.astype(np.int64))
    return _binned(values.astype(np.float64))


def is_constant_within(values: npt.NDArray[Any], labels: Labels) -> bool:
    """Returns whether all rows of each class have one value: an attribute of the identity, not of the image.

    Args:
        values: (N,).
        labels: integer (N,).
    """
    order = np.argsort(labels, kind="stable")
    same_class = np.diff(labels[order]) == 0
    return bool(np.all(values[order][1:][same_class] == values[order][:-1][same_class]))


def normalised_entropy(counts: npt.NDArray[np.integer[Any]]) -> float:
    """Returns the entropy of the groups' shares over that of equal shares: 1 is balanced, 0 is all in one group.

    Args:
        counts: integer (groups,), rows of each; empty groups count as groups.
    """
    shares = counts[counts > 0] / max(int(counts.sum()), 1)
    if len(counts) < 2:
        return 0.0
    return float(max(0.0, -(shares * np.log(shares)).sum() / math.log(len(counts))))


def largest_to_smallest(counts: npt.NDArray[np.integer[Any]]) -> float:
    """Returns how many times the largest group outnumbers the smallest; infinite where one is empty."""
    return float(counts.max() / counts.min()) if counts.min() > 0 else math.inf


def mean_by_group(
    groups: Groups, pairs: Pairs, scores: Scores
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Returns the mean score of the pairs within each group, and how many there are.

    Args:
        groups: of N rows.
        pairs: int64 (P, 2), rows; a pair of two groups counts for none.
        scores: float (P,).

    Returns:
        float64 (groups,), NaN for a group without a pair, and int64 (groups,).
    """
    first, second = groups.codes[pairs[:, 0]], groups.codes[pairs[:, 1]]
    within = (first == second) & (first >= 0)
    number = np.bincount(first[within], minlength=len(groups.names)).astype(np.int64)
    total = np.bincount(first[within], scores[within], minlength=len(groups.names))
    return np.divide(total, number, out=np.full(len(number), np.nan), where=number > 0), number


def _named(values: npt.NDArray[np.str_]) -> Groups:
    """Groups names; where there are many, the rare ones are put together."""
    found, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    rank = np.empty(len(found), dtype=np.int64)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(found))
    names = [str(found[at]) or "none" for at in np.argsort(rank)]
    if len(names) > MOST_GROUPS:
        names = [*names[: MOST_GROUPS - 1], "others"]
    return Groups(names=names, codes=np.minimum(rank[codes], len(names) - 1))


def _binned(values: npt.NDArray[np.float64]) -> Groups:
    known = np.isfinite(values)
    if not known.any():
        return Groups(names=(), codes=np.full(len(values), -1, dtype=np.int64))
    low, high = float(values[known].min()), float(values[known].max())
    if low == high:
        return Groups(names=(f"{low:g}",), codes=np.where(known, 0, -1).astype(np.int64))
    rough = (high - low) / NUM_BINS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in _STEPS if factor * power >= rough * (1 - 1e-9))
    first = math.floor(low / step + 1e-9)
    codes = np.where(known, np.floor(np.where(known, values, low) / step + 1e-9) - first, -1).astype(np.int64)
    edges = [round((first + k) * step, 12) for k in range(int(codes.max()) + 2)]
    names = [f"{low:g} to {high:g}" for low, high in itertools.pairwise(edges)]
    return Groups(names=names, codes=codes)
