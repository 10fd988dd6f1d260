"""Things between camera and face: a blurred shape that covers a part of the picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synth.rendering.background import fractal, grid
from synth.rendering.palette import random_colour

Float32 = npt.NDArray[np.float32]


def add_occluder(picture: Float32, seed: int) -> Float32:
    """Covers a part of the picture by a bar, a disc or a box with soft edges.

    The shape is a rotated superellipse |u|^p + |v|^p = 1; its centre stays off the middle of the face.

    Args:
        picture: float32 (size, size, 3), linear RGB.
        seed: of shape, place and colour.

    Returns:
        float32 (size, size, 3).
    """
    rng = np.random.default_rng(seed)
    size = picture.shape[0]
    x, y = grid(size)
    away, towards = rng.uniform(0.16, 0.42), rng.uniform(0, 2 * np.pi)
    dx = x - 0.5 - away * np.cos(towards)
    dy = y - 0.55 - away * np.sin(towards)
    width, height = rng.uniform(0.05, 0.14), rng.uniform(0.06, 0.20)
    if rng.random() < 0.3:
        height = 1.0  # a pole, a strap, an arm
        width *= 0.6
    turn, power = rng.uniform(0, np.pi), rng.choice([2.0, 3.0, 8.0])
    u = np.abs(dx * np.cos(turn) + dy * np.sin(turn)) / width
    v = np.abs(dy * np.cos(turn) - dx * np.sin(turn)) / height
    edge = rng.uniform(0.02, 0.12)
    cover = np.clip((1 - (u**power + v**power) ** (1 / power)) / edge + 0.5, 0, 1)[..., None]
    shading = 1 + 0.35 * fractal(rng, size, 2, 3)[..., None] - 0.25 * v.clip(0, 1)[..., None]
    colour = random_colour(rng, 20, 220) * shading
    return np.asarray(picture * (1 - cover) + colour * cover, dtype=np.float32)
