"""Which identities are too many of their kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.int64]


def grouped(values: npt.NDArray[Any], edges: Sequence[float]) -> Codes:
    """Returns the group of each value, int64 (N,): equal values are one, or what lies between two edges.

    Args:
        values: bool, integer or string (N,), or any number where there are edges.
        edges: increasing; a value at an edge is in the group above it. None: each value is a group.
    """
    if edges:
        return np.digitize(values.astype(np.float64), edges).astype(np.int64)
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


def largest_cap(counts: npt.NDArray[np.integer[Any]], max_share: float) -> int:
    """Returns how many of each group may stay so that none is more than a share of all that stay; the most that can.

    Args:
        counts: integer (groups,), members of each.
        max_share: 0..1.

    Returns:
        0 where there are too few groups for the share, or none.
    """
    caps = np.arange(1 + counts.max(initial=0))
    staying = np.zeros(len(caps), dtype=np.int64)
    for count in counts.tolist():
        staying += np.minimum(count, caps)
    return int(np.flatnonzero(caps <= max_share * staying)[-1])


def surplus(groups: Codes, cap: int) -> npt.NDArray[np.bool_]:
    """Returns which members are beyond the first `cap` of their group, bool (N,)."""
    order = np.argsort(groups, kind="stable")
    _, starts, sizes = np.unique(groups[order], return_index=True, return_counts=True)
    rank = np.empty(len(groups), dtype=np.int64)
    rank[order] = np.arange(len(groups)) - np.repeat(starts, sizes)
    return rank >= cap
