"""How many classes are somebody new: uniqueness of the class centres, in both readings of its definition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from synth.audits.pairs import BLOCK, pair_blocks
from synth.similarity import Float32, separate

PUBLISHED_THRESHOLDS: Final = {"DCFace": 0.3, "Vec2Face": 0.4}  # similarity, each of its paper's recogniser


def nearest_earlier(centres: npt.NDArray[np.floating[Any]], block: int = BLOCK) -> Float32:
    """Returns the largest cosine of each row of float (C, E) with a row before it, float32 (C,); -inf for the first."""
    largest = np.full(len(centres), -np.inf, dtype=np.float32)
    for _, other, similarities in pair_blocks(centres, block):
        columns = slice(other, other + similarities.shape[1])
        largest[columns] = np.maximum(largest[columns], similarities.max(axis=0))
    return largest


def strict_uniqueness(centres: npt.NDArray[np.floating[Any]], thresholds: Sequence[float]) -> list[float]:
    """Returns U_class against every earlier centre: the share of centres that no earlier one is too similar to.

    Kim et al. (2023), DCFace, equation 12 as it is written: over all n < m. The order of the rows counts.

    Args:
        centres: float (C, E), C >= 1.
        thresholds: cosines; a centre is too similar where it exceeds one.

    Returns:
        A share, 0..1, for each threshold.
    """
    largest = nearest_earlier(centres).astype(np.float64)
    return [float(np.mean(largest <= threshold)) for threshold in thresholds]


def packing_uniqueness(centres: npt.NDArray[np.floating[Any]], threshold: float) -> float:
    """Returns U_class against the accepted earlier centres only: the share that a greedy packing of balls takes, 0..1.

    Kim et al. (2023), DCFace, as the text around equation 12 says it: balls are added one after the other. It is at
    least the strict reading. The order of the rows of float (C, E) counts.
    """
    return float(separate(centres, threshold).mean())
