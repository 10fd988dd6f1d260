"""How much the samples of a class differ: their similarity, and the spread of what was measured of them.

Distances of image features that need networks of their own (LPIPS, improved recall, FID) are left out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from synth.audits.classes import Labels, classes
from synth.images import LUMA
from synth.similarity import unit
from synth.types import Images

Float64 = npt.NDArray[np.float64]


def intra_class_similarity(embeddings: npt.NDArray[np.floating[Any]], labels: Labels) -> Float64:
    """Returns the mean cosine of all pairs of samples of each class.

    Args:
        embeddings: float (N, E).
        labels: integer (N,).

    Returns:
        float64 (C,), -1..1, in the order of `np.unique(labels)`; NaN for a class of one.
    """
    means = []
    for rows in classes(labels):
        count = len(rows)
        total = unit(embeddings[rows]).astype(np.float64).sum(axis=0)
        pairs = count * (count - 1)
        means.append(float(total @ total - count) / pairs if pairs else np.nan)
    return np.array(means, dtype=np.float64)


def class_spread(values: npt.NDArray[np.floating[Any]], labels: Labels) -> Float64:
    """Returns the standard deviation of a measurement within each class, divided by the number of samples less one.

    Args:
        values: float (N,); what is not finite does not count.
        labels: integer (N,).

    Returns:
        float64 (C,), in the order of `np.unique(labels)`; NaN for a class with less than two numbers.
    """
    spreads = []
    for rows in classes(labels):
        numbers = values[rows][np.isfinite(values[rows])].astype(np.float64)
        spreads.append(float(numbers.std(ddof=1)) if len(numbers) > 1 else np.nan)
    return np.array(spreads, dtype=np.float64)


def luminance(images: Images) -> Float64:
    """Returns the mean luma of each image, float64 (B,), 0..255.

    Args:
        images: uint8 RGB (B, H, W, 3).
    """
    means: Float64 = images.mean(axis=(1, 2), dtype=np.float64) @ LUMA
    return means
