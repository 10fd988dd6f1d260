"""Puts the five landmarks of a face on the ArcFace template."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from synth.types import ALIGNED_SIZE, Images, Landmarks

ARCFACE_TEMPLATE: Final[npt.NDArray[np.float64]] = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
"""float64 (5, 2), x y in px of a 112x112 crop: eyes, nose, mouth corners; the viewer's left one first.

Source: insightface, `face_align.py` (the points of SphereFace's 96x112 crop, 8 px to the right)."""


def similarity_transform(landmarks: Landmarks, size: int = ALIGNED_SIZE) -> npt.NDArray[np.float64]:
    """Estimates the transform that puts five landmarks on the ArcFace template.

    Least squares over rotation, uniform scale and shift, without reflection: the problem of Umeyama (1991), which in
    the plane has a closed form, because rotating and scaling is multiplying by one complex number.

    Args:
        landmarks: float32 (B, 5, 2), x y in px of the source image; whole numbers are centres of pixels.
        size: side of the square crop, px; the template is scaled from 112.

    Returns:
        float64 (B, 2, 3), maps source px to crop px.

    Raises:
        ValueError: the landmarks of a row coincide or are not finite.
    """
    points = landmarks.astype(np.float64)
    source = points[..., 0] + 1j * points[..., 1]
    target = (ARCFACE_TEMPLATE[:, 0] + 1j * ARCFACE_TEMPLATE[:, 1]) * (size / ALIGNED_SIZE)
    source_mean, target_mean = source.mean(axis=1, keepdims=True), target.mean()
    centred = source - source_mean
    spread = (np.abs(centred) ** 2).sum(axis=1)
    if not np.all(np.isfinite(spread) & (spread > 0)):
        row = int(np.flatnonzero(~(np.isfinite(spread) & (spread > 0)))[0])
        raise ValueError(f"landmarks of row {row} coincide or are not finite: {landmarks[row].tolist()}")
    turn = (np.conj(centred) * (target - target_mean)).sum(axis=1) / spread
    shift = target_mean - turn * source_mean[:, 0]
    rows = [[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]]
    return np.moveaxis(np.array(rows, dtype=np.float64), 2, 0)


def align(images: Images, landmarks: Landmarks, size: int = ALIGNED_SIZE) -> Images:
    """Cuts faces out of images so that their landmarks lie on the ArcFace template.

    Bilinear, without smoothing before a reduction, and black outside of the image: so the recognisers this crop is
    made for were trained.

    Args:
        images: uint8 (B, H, W, 3).
        landmarks: float32 (B, 5, 2), x y in px.
        size: side of the crop, px.

    Returns:
        uint8 (B, size, size, 3).

    Raises:
        ValueError: the landmarks of a row coincide or are not finite.
    """
    transforms = similarity_transform(landmarks, size)
    crops = np.empty((len(images), size, size, 3), dtype=np.uint8)
    for image, transform, crop in zip(images, transforms, crops, strict=True):
        crop[...] = _warp(image, _inverse(transform), size)
    return crops


def _inverse(transform: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    linear = np.linalg.inv(transform[:, :2])
    return np.column_stack([linear, -linear @ transform[:, 2]])


def _warp(image: npt.NDArray[np.uint8], to_source: npt.NDArray[np.float64], size: int) -> npt.NDArray[np.uint8]:
    """Samples the image bilinearly where `to_source` (2, 3) sends the pixels of a square crop."""
    height, width = image.shape[:2]
    columns, rows = np.meshgrid(np.arange(size), np.arange(size))
    x = to_source[0, 0] * columns + to_source[0, 1] * rows + to_source[0, 2]
    y = to_source[1, 0] * columns + to_source[1, 1] * rows + to_source[1, 2]
    # A black frame of one pixel on each side, so that every neighbour exists; beyond it everything is black.
    framed = np.zeros((height + 2, width + 2, 3), dtype=np.float32)
    framed[1:-1, 1:-1] = image
    x, y = np.clip(x, -1, width) + 1, np.clip(y, -1, height) + 1
    left, top = np.minimum(x.astype(np.intp), width), np.minimum(y.astype(np.intp), height)
    right_share = (x - left).astype(np.float32)[..., None]
    bottom_share = (y - top).astype(np.float32)[..., None]
    pixels = framed.reshape(-1, 3)
    corner = top * (width + 2) + left
    upper = pixels[corner] + right_share * (pixels[corner + 1] - pixels[corner])
    below = corner + width + 2
    lower = pixels[below] + right_share * (pixels[below + 1] - pixels[below])
    crop: npt.NDArray[np.uint8] = np.rint(upper + bottom_share * (lower - upper)).astype(np.uint8)
    return crop
