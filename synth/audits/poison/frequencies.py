"""Images with more high frequencies than the others: what pasted or blended triggers often leave behind."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from synth.images import LUMA
from synth.types import Images

CUTOFF: Final = 3.5  # of a modified z-score; Iglewicz and Hoaglin (1993), "How to Detect and Handle Outliers"
_CORNER: Final = 1.75  # sides; the two frequencies of a coefficient that counts as high add up to at least this
_FLOOR: Final = 1e-9  # of a share, so that a flat picture has a logarithm

Float64 = npt.NDArray[np.float64]


def high_frequency_share(images: Images) -> Float64:
    """Returns the common logarithm of the share of an image's variance that lies in its highest frequencies.

    The corner of the two-dimensional DCT of the luma. Zeng, Park, Mao and Jia (2021), "Rethinking the Backdoor
    Attacks' Triggers: A Frequency Perspective", find that many triggers show there.

    Args:
        images: uint8 RGB (B, H, W, 3).

    Returns:
        float64 (B,), at most 0.
    """
    height, width = images.shape[1:3]
    rows, columns = _dct(height), _dct(width)
    energy = np.square(rows @ (images.astype(np.float32) @ LUMA.astype(np.float32)) @ columns.T).astype(np.float64)
    energy[:, 0, 0] = 0
    sums = np.arange(height)[:, None] / height + np.arange(width)[None, :] / width
    high = energy[:, sums >= _CORNER].sum(axis=1)
    total = energy.sum(axis=(1, 2))
    shares: Float64 = np.log10(np.divide(high, total, out=np.zeros_like(total), where=total > 0) + _FLOOR)
    return shares


def modified_z_scores(values: npt.NDArray[np.floating[Any]]) -> Float64:
    """Returns how far each value is from the median, in robust standard deviations, float64 (N,).

    The median absolute deviation times 1.4826 stands for the standard deviation: Iglewicz and Hoaglin (1993). Zero
    where it is zero.
    """
    distances = values.astype(np.float64) - np.median(values)
    scale = 1.4826 * float(np.median(np.abs(distances)))
    return distances / scale if scale > 0 else np.zeros_like(distances)


@cache
def _dct(size: int) -> npt.NDArray[np.float32]:
    """Returns the matrix of the orthonormal DCT-II, float32 (size, size)."""
    frequencies, places = np.arange(size)[:, None], np.arange(size)[None, :]
    matrix: Float64 = np.sqrt(2 / size) * np.cos(np.pi * (2 * places + 1) * frequencies / (2 * size))
    matrix[0] /= np.sqrt(2)
    return matrix.astype(np.float32)
