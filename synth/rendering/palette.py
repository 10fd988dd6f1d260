"""Random colours of things that are not the person: clothes, hats, walls."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]


def linear(encoded: npt.NDArray[np.floating]) -> Float64:
    """Returns linear intensities, 0..1, of sRGB-encoded ones, 0..1 (IEC 61966-2-1)."""
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def random_colour(rng: np.random.Generator, darkest: float = 10, brightest: float = 235) -> Float64:
    """Draws a colour, linear RGB (3,): mostly muted, sometimes vivid; limits in sRGB levels 0..255."""
    level = rng.uniform(darkest, brightest) + rng.standard_normal(3) * rng.choice([6, 18, 45])
    return linear(np.clip(level, 3, 250) / 255)
