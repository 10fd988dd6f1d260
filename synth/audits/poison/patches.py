"""A patch that the images of a class, or of all classes, have in common: at one place and hardly varying."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from synth.images import LUMA
from synth.types import Images

PATCH_RATIO: Final = 3.0  # of a class of many images, see `patch_bound`
PATCH_SOURCE: Final = (
    "2,000 clean rendered classes cut to 5, 6, 8, 10 and 12 images reach 10.3, 8.9, 5.2, 4.2 and 4.1 where the bound "
    "is 12, 10.2, 8.1, 7 and 6.3"
)
LEAST_IMAGES: Final = 5  # of a class; of fewer a variance is chance
COMMON_RATIO: Final = 0.3  # of all images of many classes, see `common_bound`; a checkered patch on a third: 0.4
COMMON_SOURCE: Final = (
    "clean rendered sets of 4, 8, 32, 64 and 1,000 classes of 12 images reach 0.53, 0.34, 0.27, 0.24 and 0.16 where "
    "the bound is 0.6, 0.43, 0.33, 0.31 and 0.3"
)
LEAST_CLASSES: Final = 4  # that a patch is common to; what fewer have in common is their faces
_SURROUNDING: Final = 7  # px, side of the square whose mean is taken off each pixel
_WINDOWS: Final = (4, 8, 16)  # px, sides of the squares that are looked at
_OF_FEW_IMAGES: Final = 12  # how steeply the bound of a class rises as it gets smaller
_OF_FEW_CLASSES: Final = 3  # likewise of all images
_NOISE: Final = 16.0  # grey levels squared, of JPEG: less variance than this is none

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The place of an image that stands out most.

    Attributes:
        ratio: mean square of the mean image there over the mean variance there.
        top: row of its upper edge, px.
        left: column of its left edge, px.
        size: side, px.
    """

    ratio: float
    top: int
    left: int
    size: int


class DetailStatistics:
    """Mean and variance of the fine detail of images, pixel by pixel, in constant memory.

    Fine detail is luma less the mean of its surroundings: light and skin go, edges stay. What is pasted at one place
    of many images has a mean as large as itself and little variance; a face's edges move with pose and expression.

    Attributes:
        count: images added.
    """

    def __init__(self) -> None:
        self.count = 0
        self._sum: Float64 = np.zeros((0, 0))
        self._squares: Float64 = np.zeros((0, 0))

    def add(self, details: Float32) -> None:
        """Adds the details of images, float32 (B, H, W) as `fine_detail` returns them."""
        if self.count == 0:
            self._sum, self._squares = np.zeros(details.shape[1:]), np.zeros(details.shape[1:])
        self.count += len(details)
        self._sum += details.sum(axis=0, dtype=np.float64)
        self._squares += np.square(details, dtype=np.float64).sum(axis=0)

    @property
    def mean(self) -> Float64:
        """The mean detail, float64 (H, W), grey levels."""
        return self._sum / max(self.count, 1)

    @property
    def variance(self) -> Float64:
        """Variance over the images, float64 (H, W), grey levels squared."""
        squares = self._squares - self.count * self.mean**2
        return np.maximum(squares, 0) / max(self.count - 1, 1)


def fine_detail(images: Images) -> Float32:
    """Returns the luma of each pixel less the mean of the 7x7 px around it, float32 (B, H, W).

    Args:
        images: uint8 RGB (B, H, W, 3).
    """
    luma = images.astype(np.float64) @ LUMA
    side = _SURROUNDING // 2
    framed = np.pad(luma, ((0, 0), (side, side), (side, side)), mode="edge")
    detail: Float32 = (luma - _box_means(framed, _SURROUNDING)).astype(np.float32)
    return detail


def ratio_map(mean: Float64, variance: Float64) -> Float64:
    """Returns the ratio of each pixel on its own, float64 (H, W), for a picture of where a patch is."""
    return mean**2 / (variance + _NOISE)


def strongest_window(mean: Float64, variance: Float64) -> Window:
    """Finds the square where the mean detail is largest against its variance.

    Args:
        mean: float64 (H, W), mean detail of a class less that of all images, or of all images.
        variance: float64 (H, W), of the same images.

    Returns:
        The strongest of all squares of 4, 8 and 16 px that fit in.
    """
    best = Window(ratio=0.0, top=0, left=0, size=0)
    for size in _WINDOWS:
        if size > min(mean.shape):
            break
        ratios = _box_means((mean**2)[None], size)[0] / (_box_means(variance[None], size)[0] + _NOISE)
        top, left = (int(at) for at in np.unravel_index(int(ratios.argmax()), ratios.shape))
        if ratios[top, left] > best.ratio:
            best = Window(ratio=float(ratios[top, left]), top=top, left=left, size=size)
    return best


def patch_bound(num_images: int) -> float:
    """Returns the ratio above which the strongest window of a class is no chance: 3 * (1 + 12 / (n - 1)).

    Of few images the variance of some window is small by chance, and the ratio large; this is fitted to clean classes.

    Args:
        num_images: of the class, LEAST_IMAGES or more.
    """
    return PATCH_RATIO * (1 + _OF_FEW_IMAGES / (num_images - 1))


def common_bound(num_classes: int) -> float:
    """Returns the ratio above which the strongest window of all images is no chance: 0.3 * (1 + 3 / (c - 1)).

    Images of one class are alike, so it is the number of classes that says how far their faces average out.

    Args:
        num_classes: that the images are of, LEAST_CLASSES or more.
    """
    return COMMON_RATIO * (1 + _OF_FEW_CLASSES / (num_classes - 1))


def _box_means(maps: Float64, size: int) -> Float64:
    """Returns the means over all squares of `size` px that fit in, float64 (B, H - size + 1, W - size + 1)."""
    sums = np.cumsum(np.cumsum(np.pad(maps, ((0, 0), (1, 0), (1, 0))), axis=1), axis=2)
    total = sums[:, size:, size:] - sums[:, :-size, size:] - sums[:, size:, :-size] + sums[:, :-size, :-size]
    means: Float64 = total / size**2
    return means
