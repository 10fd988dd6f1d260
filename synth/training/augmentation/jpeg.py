"""The rounding of JPEG compression, computed for a whole batch without encoding anything."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from synth.training.augmentation.draws import Draws, beside
from synth.training.augmentation.options import Augmentation

_QUALITY = (15.0, 75.0)
_BLOCK = 8  # px

# Tables K.1 and K.2 of ITU-T T.81 (1992): steps that luma and chroma are rounded to at quality 50.
_LUMA_STEPS = (
    (16, 11, 10, 16, 24, 40, 51, 61), (12, 12, 14, 19, 26, 58, 60, 55), (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62), (18, 22, 37, 56, 68, 109, 103, 77), (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101), (72, 92, 95, 98, 112, 100, 103, 99),
)  # fmt: skip
_CHROMA_STEPS = (
    (17, 18, 24, 47, 99, 99, 99, 99), (18, 21, 26, 66, 99, 99, 99, 99), (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99), (99, 99, 99, 99, 99, 99, 99, 99), (99, 99, 99, 99, 99, 99, 99, 99),
    (99, 99, 99, 99, 99, 99, 99, 99), (99, 99, 99, 99, 99, 99, 99, 99),
)  # fmt: skip
_TO_YCBCR = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))  # JFIF 1.02


def compress(images: Tensor, draws: Draws, options: Augmentation) -> Tensor:
    """Rounds some images as JPEG of a random low quality does, without chroma subsampling.

    Args:
        images: floating (B, 3, H, W), 0..1; changed in place.
        draws: of this batch.
        options: how often.

    Returns:
        Floating (B, 3, H, W), 0..1.
    """
    rows = draws.chosen("jpeg", options.jpeg).nonzero()[:, 0]
    if not len(rows):
        return images
    low, high = _QUALITY
    quality = (low + (high - low) * draws.uniform("jpeg quality")[rows]).round()
    there = beside(images, rows, dtype=torch.int64)
    images[there] = _rounded(images[there], beside(images, _steps(quality))).clamp(0, 1)
    return images


def _steps(quality: Tensor) -> Tensor:
    """Returns the rounding steps of each image, (n, 3, 8, 8), as libjpeg scales them by quality."""
    percent = torch.where(quality < 50, 5000 / quality, 200 - 2 * quality).floor()
    base = torch.tensor([_LUMA_STEPS, _CHROMA_STEPS, _CHROMA_STEPS], dtype=torch.float32)
    return ((base * percent[:, None, None, None] + 50) / 100).floor().clamp(1, 255)


def _rounded(images: Tensor, steps: Tensor) -> Tensor:
    count, _, height, width = images.shape
    padded = functional.pad(images, (0, -width % _BLOCK, 0, -height % _BLOCK), mode="replicate")
    to_ycbcr = torch.tensor(_TO_YCBCR)
    ycbcr = torch.einsum("dc,nchw->ndhw", beside(images, to_ycbcr), padded * 255 - 128)
    high, wide = padded.shape[2] // _BLOCK, padded.shape[3] // _BLOCK
    blocks = ycbcr.view(count, 3, high, _BLOCK, wide, _BLOCK).transpose(3, 4)
    cosine = beside(images, _cosines())
    table = steps[:, :, None, None]
    kept = (cosine @ blocks @ cosine.T / table).round() * table
    pixels = (cosine.T @ kept @ cosine).transpose(3, 4).reshape(padded.shape)
    rgb = torch.einsum("dc,nchw->ndhw", beside(images, torch.linalg.inv(to_ycbcr)), pixels)
    return ((rgb + 128) / 255)[:, :, :height, :width]


def _cosines() -> Tensor:
    """Returns the orthonormal discrete cosine transform of eight numbers, (8, 8)."""
    frequency = torch.arange(_BLOCK)[:, None]
    place = torch.arange(_BLOCK)[None, :]
    waves = torch.cos(math.pi * (2 * place + 1) * frequency / (2 * _BLOCK)) * math.sqrt(2 / _BLOCK)
    waves[0] /= math.sqrt(2)
    return waves
