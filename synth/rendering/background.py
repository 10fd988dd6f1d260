"""What is behind the person, painted at the picture's own size: out-of-focus rooms, lights, leaves, plain walls."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter, zoom

from synth.rendering.palette import random_colour

Float32 = npt.NDArray[np.float32]


def paint_background(kind: str, seed: int, size: int) -> Float32:
    """Paints a background.

    Args:
        kind: one of `nuisance_ranges.BACKGROUND_RATES`.
        seed: of colours and places.
        size: side, px.

    Returns:
        float32 (size, size, 3), linear RGB, 0..1.2.
    """
    rng = np.random.default_rng(seed)
    picture = PAINTERS[kind](rng, size)
    uneven = 1 + 0.4 * fractal(rng, size)[..., None]
    return np.clip(picture * uneven, 0, 1.2).astype(np.float32)


def grid(size: int) -> tuple[Float32, Float32]:
    """Returns x and y of the pixel centres, float32 (1, size) and (size, 1), 0..1."""
    steps: Float32 = ((np.arange(size) + 0.5) / size).astype(np.float32)
    return steps[None, :], steps[:, None]


def fractal(rng: np.random.Generator, size: int, coarsest: int = 2, octaves: int = 3) -> Float32:
    """Returns smooth noise, float32 (size, size), mostly within -1..1: octaves of stretched random grids."""
    total = np.zeros((size, size), dtype=np.float32)
    for octave in range(octaves):
        cells = coarsest * 2**octave + 1
        coarse = rng.standard_normal((cells, cells)).astype(np.float32)
        total += zoom(coarse, size / cells, order=1, grid_mode=True, mode="nearest") * 0.5 ** (octave + 1)
    return total


def _gradient(rng: np.random.Generator, size: int) -> Float32:
    """A studio wall, lit from one side."""
    x, y = grid(size)
    angle = rng.uniform(0, 2 * np.pi)
    share = np.clip((x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle) + 0.5, 0, 1)[..., None]
    colour = random_colour(rng)
    other = random_colour(rng) if rng.random() < 0.4 else colour * rng.uniform(0.3, 0.9)
    return np.asarray(colour * (1 - share) + other * share, dtype=np.float32)


def _shapes(rng: np.random.Generator, size: int) -> Float32:
    """Things out of focus: boxes and discs over each other."""
    x, y = grid(size)
    picture = np.tile(random_colour(rng).astype(np.float32), (size, size, 1))
    for _ in range(rng.integers(3, 16)):
        colour = (random_colour(rng) * rng.uniform(0.4, 1.3)).astype(np.float32)
        (cx, cy), (width, height) = rng.uniform(-0.1, 1.1, 2), rng.uniform(0.05, 0.6, 2)
        if rng.random() < 0.65:
            inside = (abs(x - cx) < width / 2) & (abs(y - cy) < height / 2)
        else:
            inside = ((x - cx) / width) ** 2 + ((y - cy) / height) ** 2 < 0.25
        picture[inside] = 0.25 * picture[inside] + 0.75 * colour
    return _blurred(picture, rng.uniform(0.004, 0.04))


def _lights(rng: np.random.Generator, size: int) -> Float32:
    """Lamps far out of focus in a dark place: bright discs."""
    x, y = grid(size)
    picture = np.tile((random_colour(rng, 5, 70)).astype(np.float32), (size, size, 1))
    radius = rng.uniform(0.02, 0.07)
    for _ in range(rng.integers(6, 22)):
        (cx, cy), reach = rng.uniform(0, 1, 2), radius * rng.uniform(0.7, 1.2)
        inside = (x - cx) ** 2 + (y - cy) ** 2 < reach**2
        picture[inside] += (random_colour(rng, 120, 245) * rng.uniform(0.15, 0.8)).astype(np.float32)
    return _blurred(picture, 0.006)


def _room(rng: np.random.Generator, size: int) -> Float32:
    """A wall above a floor or table, with pictures, doors and windows in it."""
    x, y = grid(size)
    wall, floor = random_colour(rng, 60, 235), random_colour(rng, 20, 160)
    horizon = rng.uniform(0.55, 1.1) + rng.uniform(-0.1, 0.1) * (x - 0.5)
    picture = np.where((y < horizon)[..., None], wall, floor).astype(np.float32)
    for _ in range(rng.integers(1, 6)):
        left, top, width, height = rng.uniform([-0.1, -0.1, 0.08, 0.15], [0.95, 0.5, 0.35, 0.6])
        frame = (x > left) & (x < left + width) & (y > top) & (y < top + height)
        inset = 0.015
        inner = (x > left + inset) & (x < left + width - inset) & (y > top + inset) & (y < top + height - inset)
        picture[frame] = random_colour(rng)
        picture[inner & frame] = random_colour(rng) * (1.6 if rng.random() < 0.3 else 1.0)
    return _blurred(picture, rng.uniform(0.004, 0.025))


def _foliage(rng: np.random.Generator, size: int) -> Float32:
    """Leaves, hedges or rocks: two colours mixed by noise, with the sky above."""
    x, y = grid(size)
    near = random_colour(rng, 15, 110) * np.array([0.9, 1.2, 0.6])
    far = random_colour(rng, 60, 190) * np.array([1.0, 1.15, 0.6])
    share = np.clip(0.5 + 0.9 * fractal(rng, size, 6, 3), 0, 1)[..., None]
    picture = near * (1 - share) + far * share
    skyline = rng.uniform(-0.2, 0.45) + 0.15 * fractal(rng, size, 3, 2)
    sky = random_colour(rng, 150, 245) * np.array([0.85, 0.95, 1.1])
    picture = np.where((y + 0 * x < skyline)[..., None], sky, picture)
    return _blurred(picture.astype(np.float32), rng.uniform(0.004, 0.02))


def _blurred(picture: Float32, sigma: float) -> Float32:
    """Blurs by `sigma` of the side."""
    spread = sigma * picture.shape[0]
    return np.asarray(gaussian_filter(picture, (spread, spread, 0), truncate=2.5), dtype=np.float32)


PAINTERS: dict[str, Callable[[np.random.Generator, int], Float32]] = {
    "gradient": _gradient,
    "shapes": _shapes,
    "lights": _lights,
    "room": _room,
    "foliage": _foliage,
}
