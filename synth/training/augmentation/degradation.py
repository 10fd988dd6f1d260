"""What lenses, sensors, scaling and compression do to some of the pictures of a batch."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from synth.training.augmentation.draws import Draws, beside
from synth.training.augmentation.options import Augmentation

_BLUR = (0.5, 2.5)  # px, standard deviation
_MOTION = (2.0, 8.0)  # px, length of the line
_NOISE = (0.01, 0.06)  # standard deviation, of a full range of 1
_SMALLEST = 0.2  # share of the side that a low-resolution image is scaled down to
_RADIUS = 6  # px, of the kernels
_ERASED_AREA = (0.02, 0.25)  # share of the picture
_ERASED_ASPECT = (0.3, 3.3)


def degrade(images: Tensor, draws: Draws, options: Augmentation) -> Tensor:
    """Blurs, shrinks, and adds noise to a few images each, and covers parts of some.

    Args:
        images: floating (B, 3, H, W), 0..1.
        draws: of this batch.
        options: how often.

    Returns:
        Floating (B, 3, H, W), 0..1; the input may be changed in place.
    """
    changes = (
        ("blur", options.blur, _blurred),
        ("motion_blur", options.motion_blur, _moved),
        ("low_resolution", options.low_resolution, _shrunk),
        ("noise", options.noise, _noisy),
        ("erase", options.erase, _erased),
    )
    for name, probability, change in changes:
        rows = draws.chosen(name, probability).nonzero()[:, 0]
        if len(rows):
            there = beside(images, rows, dtype=torch.int64)
            images[there] = change(images[there], draws, rows).clamp(0, 1)
    return images


def _between(draws: Draws, name: str, rows: Tensor, low: float, high: float) -> Tensor:
    return low + (high - low) * draws.uniform(name)[rows]


def _blurred(images: Tensor, draws: Draws, rows: Tensor) -> Tensor:
    """Convolves with a Gaussian of the image's own width."""
    sigma = _between(draws, "blur sigma", rows, *_BLUR)
    places = torch.arange(-_RADIUS, _RADIUS + 1)
    line = torch.exp(-0.5 * (places / sigma[:, None]) ** 2)
    line = line / line.sum(dim=1, keepdim=True)
    return _convolved(_convolved(images, line[:, :, None]), line[:, None, :])


def _moved(images: Tensor, draws: Draws, rows: Tensor) -> Tensor:
    """Convolves with a short line in a random direction."""
    length = _between(draws, "motion length", rows, *_MOTION)[:, None, None]
    angle = math.pi * draws.uniform("motion direction")[rows][:, None, None]
    places = torch.arange(-_RADIUS, _RADIUS + 1, dtype=torch.float32)
    y, x = torch.meshgrid(places, places, indexing="ij")
    along, across = x * angle.cos() + y * angle.sin(), y * angle.cos() - x * angle.sin()
    kernel = (length / 2 + 0.5 - along.abs()).clamp(0, 1) * (1 - across.abs()).clamp(0, 1)
    return _convolved(images, kernel / kernel.sum(dim=(1, 2), keepdim=True))


def _convolved(images: Tensor, kernels: Tensor) -> Tensor:
    """Convolves each image (n, 3, H, W) with its own kernel (n, h, w), edges repeated."""
    count, channels, height, width = images.shape
    tall, wide = kernels.shape[1] // 2, kernels.shape[2] // 2
    padded = functional.pad(images, (wide, wide, tall, tall), mode="replicate")
    groups = beside(images, kernels).repeat_interleave(channels, dim=0)[:, None]
    stacked = padded.reshape(1, count * channels, *padded.shape[2:])
    return functional.conv2d(stacked, groups, groups=count * channels).view(count, channels, height, width)


def _shrunk(images: Tensor, draws: Draws, rows: Tensor) -> Tensor:
    """Scales each image down by its own factor and up again."""
    share = _between(draws, "low resolution", rows, _SMALLEST, 1.0).tolist()
    height, width = images.shape[2:]
    parts = []
    for image, factor in zip(images[:, None], share, strict=True):
        size = max(1, round(height * factor)), max(1, round(width * factor))
        small = functional.interpolate(image, size, mode="bilinear", antialias=True)
        parts.append(functional.interpolate(small, (height, width), mode="bilinear"))
    return torch.cat(parts)


def _noisy(images: Tensor, draws: Draws, rows: Tensor) -> Tensor:
    sigma = _between(draws, "noise sigma", rows, *_NOISE)[:, None, None, None]
    return images + beside(images, sigma) * draws.normal_images("noise", rows, images)


def _erased(images: Tensor, draws: Draws, rows: Tensor) -> Tensor:
    """Covers a random rectangle of each image with noise."""
    height, width = images.shape[2:]
    area = _between(draws, "erased area", rows, *_ERASED_AREA)
    low, high = map(math.log, _ERASED_ASPECT)
    aspect = torch.exp(_between(draws, "erased aspect", rows, low, high))
    tall, wide = (area * aspect).sqrt().clamp(max=1), (area / aspect).sqrt().clamp(max=1)
    top, left = draws.uniform("erased top")[rows] * (1 - tall), draws.uniform("erased left")[rows] * (1 - wide)
    y, x = (torch.arange(height) + 0.5) / height, (torch.arange(width) + 0.5) / width
    inside_y = (y > top[:, None]) & (y < (top + tall)[:, None])
    inside_x = (x > left[:, None]) & (x < (left + wide)[:, None])
    covered_y, covered_x = (beside(images, inside, dtype=torch.bool) for inside in (inside_y, inside_x))
    covered = (covered_y[:, :, None] & covered_x[:, None, :])[:, None]
    return torch.where(covered, 0.5 + 0.25 * draws.normal_images("erased", rows, images), images)
