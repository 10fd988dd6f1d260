"""Small random draws that the nuisances are made of."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from synth.rendering.nuisance_ranges import Range

Pair = tuple[float, float]
Colour = tuple[float, float, float]


def truncated(rng: np.random.Generator, spread: float, limit: float) -> float:
    """Draws a normal number within +-limit, by redrawing."""
    while True:
        value = float(rng.normal(0, 1) * spread)
        if abs(value) <= limit:
            return value


def log_uniform(rng: np.random.Generator, limits: Range) -> float:
    """Draws a number whose logarithm is uniform between the limits'."""
    return float(np.exp(rng.uniform(np.log(limits[0]), np.log(limits[1]))))


def choice(rng: np.random.Generator, weights: Mapping[str, float]) -> str:
    """Draws a name with a probability proportional to its weight."""
    shares = np.array(list(weights.values()), dtype=np.float64)
    return str(rng.choice(list(weights), p=shares / shares.sum()))


def tinted(rng: np.random.Generator, intensity: float, spread: float) -> Colour:
    """Draws a warm or cold light of an intensity; `spread` is of the log of red over green."""
    return colour(intensity * np.exp(rng.normal(0, 1) * spread * np.array([1.0, 0.0, -1.0])))


def draw_seed(rng: np.random.Generator) -> int:
    """Draws the seed of something drawn elsewhere, 0 .. 2**31 - 1."""
    return int(rng.integers(2**31))


def pair(values: npt.NDArray[np.floating]) -> Pair:
    """Returns an array (2,) as plain numbers."""
    return float(values[0]), float(values[1])


def colour(values: npt.NDArray[np.floating]) -> Colour:
    """Returns an array (3,) as plain numbers."""
    return float(values[0]), float(values[1]), float(values[2])
