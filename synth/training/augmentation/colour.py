"""Changes brightness, contrast and colour of the pictures of a batch, all in one multiplication."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from synth.training.augmentation.draws import Draws, beside
from synth.training.augmentation.options import Augmentation

_LUMA = (0.299, 0.587, 0.114)  # of red, green, blue, ITU-R BT.601


def recolour(images: Tensor, draws: Draws, options: Augmentation) -> Tensor:
    """Changes brightness, contrast, saturation, hue and shade; some images become grey.

    All but the shade are one affine map of RGB for each image: hue turns the colour around the grey axis, saturation
    and greyness mix it with its luma, contrast pulls it to the picture's mean luma.

    Args:
        images: floating (B, 3, H, W), 0..1.
        draws: of this batch.
        options: how far.

    Returns:
        Floating (B, 3, H, W), 0..1.
    """
    luma = torch.tensor(_LUMA)
    to_luma = luma.expand(3, 3)  # each row gives the luma
    colourful = 1 + draws.around("saturation", options.saturation)
    colourful = torch.where(draws.chosen("grey", options.grey), torch.zeros_like(colourful), colourful)
    mixed = colourful[:, None, None] * torch.eye(3) + (1 - colourful)[:, None, None] * to_luma
    matrix = mixed @ _turned(draws.around("hue", options.hue))
    brighter = 1 + draws.around("brightness", options.brightness)
    steeper = 1 + draws.around("contrast", options.contrast)
    mean = torch.einsum("bc,c->b", images.mean(dim=(2, 3)), beside(images, luma))
    offset = beside(images, brighter * (1 - steeper)) * mean
    matrix = beside(images, matrix * (brighter * steeper)[:, None, None])
    flat = torch.baddbmm(offset[:, None, None], matrix, images.flatten(2))
    return _shaded(flat.view(images.shape), draws, options).clamp(0, 1)


def _turned(turns: Tensor) -> Tensor:
    """Returns rotations of RGB around the grey axis by shares of the full circle, (B, 3, 3) (Rodrigues' formula)."""
    angle = 2 * math.pi * turns[:, None, None]
    axis = torch.full((3, 3), 1 / 3)
    cross = torch.tensor([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]) / math.sqrt(3)
    return angle.cos() * (torch.eye(3) - axis) + axis + angle.sin() * cross


def _shaded(images: Tensor, draws: Draws, options: Augmentation) -> Tensor:
    """Brightens one side and darkens the other, along a random direction."""
    if not options.shade:
        return images
    angle = 2 * math.pi * draws.uniform("shade direction")
    strength = draws.around("shade", options.shade)
    right = (strength * angle.cos())[:, None] * torch.linspace(-1, 1, images.shape[3])
    down = (strength * angle.sin())[:, None] * torch.linspace(-1, 1, images.shape[2])
    slope = beside(images, down)[:, :, None] + beside(images, right)[:, None, :]
    return images * (1 + slope)[:, None]
