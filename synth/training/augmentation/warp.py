"""Moves, turns, stretches and bends the pictures of a batch, all in one resampling."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from synth.training.augmentation.draws import Draws, beside
from synth.training.augmentation.options import Augmentation


def warp(images: Tensor, draws: Draws, options: Augmentation) -> Tensor:
    """Mirrors and warps images; what comes from outside the picture repeats its edge.

    Args:
        images: floating (B, 3, H, W).
        draws: of this batch.
        options: how far.

    Returns:
        Floating (B, 3, H, W).
    """
    mirrored = draws.chosen("flip", options.flip)  # on the CPU, as all draws
    if not any((options.scale, options.rotation, options.shift, options.aspect, options.corners)):
        return torch.where(beside(images, mirrored, dtype=torch.bool)[:, None, None, None], images.flip(3), images)
    transform = _bent(draws, options) @ _moved(draws, options) @ torch.diag_embed(_mirror(mirrored))
    grid = _grid(beside(images, transform), images.shape[2], images.shape[3])
    return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)


def _mirror(mirrored: Tensor) -> Tensor:
    one = torch.ones(len(mirrored))
    return torch.stack([torch.where(mirrored, -one, one), one, one], dim=1)


def _moved(draws: Draws, options: Augmentation) -> Tensor:
    """Returns similarity transforms with a change of aspect, (B, 3, 3), of coordinates from -1 to 1."""
    angle = draws.around("rotation", options.rotation) * (math.pi / 180)
    size = 1 + draws.around("scale", options.scale)
    stretch = (1 + draws.around("aspect", options.aspect)).sqrt()
    cos, sin, zero = angle.cos() / size, angle.sin() / size, torch.zeros_like(angle)
    right, down = 2 * draws.around("shift_x", options.shift), 2 * draws.around("shift_y", options.shift)
    rows = [cos * stretch, -sin / stretch, right, sin * stretch, cos / stretch, down, zero, zero, zero + 1]
    return torch.stack(rows, dim=1).view(-1, 3, 3)


def _bent(draws: Draws, options: Augmentation) -> Tensor:
    """Returns the homographies, (B, 3, 3), that move the corners (-1, -1), (1, -1), (1, 1), (-1, 1) by random steps.

    Eight linear equations for eight unknowns, two for each corner (Hartley and Zisserman 2004, section 4.1).
    """
    corners = torch.tensor([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
    steps = torch.stack([draws.around(f"corner_{number}", options.corners) for number in range(8)], dim=1)
    targets = corners + 2 * steps.view(-1, 4, 2)
    x, y = corners[:, 0].expand(len(targets), 4), corners[:, 1].expand(len(targets), 4)
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    to_x, to_y = targets[..., 0], targets[..., 1]
    first = torch.stack([x, y, one, zero, zero, zero, -x * to_x, -y * to_x], dim=2)
    second = torch.stack([zero, zero, zero, x, y, one, -x * to_y, -y * to_y], dim=2)
    solved = torch.linalg.solve(torch.cat([first, second], dim=1), torch.cat([to_x, to_y], dim=1))
    return torch.cat([solved, one[:, :1]], dim=1).view(-1, 3, 3)


def _grid(transform: Tensor, height: int, width: int) -> Tensor:
    """Returns where each pixel comes from, (B, H, W, 2), in coordinates from -1 to 1."""
    down = (torch.arange(height, device=transform.device) * 2 + 1) / height - 1
    right = (torch.arange(width, device=transform.device) * 2 + 1) / width - 1
    of_column = transform[:, :, 0, None] * right  # (B, 3, W)
    of_row = transform[:, :, 1, None] * down + transform[:, :, 2, None]  # (B, 3, H)
    x, y, depth = (of_row[..., None] + of_column[:, :, None]).unbind(dim=1)
    return torch.stack([x / depth, y / depth], dim=3)
