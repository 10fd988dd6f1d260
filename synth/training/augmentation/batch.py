"""From decoded pixels to what a backbone takes."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from synth.training.augmentation.colour import recolour
from synth.training.augmentation.degradation import degrade
from synth.training.augmentation.draws import Draws
from synth.training.augmentation.jpeg import compress
from synth.training.augmentation.options import Augmentation
from synth.training.augmentation.warp import warp


def augmented(images: Tensor, draws: Draws, options: Augmentation) -> Tensor:
    """Changes each image at random: geometry first, then light and colour, then what a camera does.

    Args:
        images: uint8 (B, H, W, 3), RGB, on any device.
        draws: of this batch.
        options: what may happen.

    Returns:
        float32 (B, 3, H, W), RGB, 0..1.
    """
    faces = recolour(warp(planes(images), draws, options), draws, options)
    return compress(degrade(faces, draws, options), draws, options)


def planes(images: Tensor) -> Tensor:
    """Returns uint8 (B, H, W, 3) as float32 (B, 3, H, W), 0..1."""
    return images.permute(0, 3, 1, 2).contiguous().float() / 255


def network_input(faces: Tensor, size: int) -> Tensor:
    """Scales faces to a backbone's input: (B, 3, H, W), 0..1, to (B, 3, size, size), -1..1; shrinks by area."""
    if faces.shape[2:] != (size, size):
        shrinks = size < faces.shape[2]
        mode = "area" if shrinks and faces.shape[2] % size == 0 else "bilinear"
        antialias = shrinks and mode == "bilinear"
        faces = functional.interpolate(faces, (size, size), mode=mode, antialias=antialias)
    return faces * 2 - 1
