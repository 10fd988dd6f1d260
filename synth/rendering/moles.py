"""Moles: fixed candidate places on the face, of which each person has a few."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from synth.rendering.head import load_head
from synth.rendering.texture_domain import texture_domain

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

MOLE_SEED = 211
CANDIDATES = 90
RADIUS = (0.012, 0.034)  # dm
DIRECTION_SIZE = 12
SINCE, FULLY = 1.55, 2.0  # score at which a mole starts to show, and shows fully; about 4 a person


@dataclass(frozen=True, slots=True, kw_only=True)
class MoleMap:
    """What each texel knows of moles.

    Attributes:
        index: int32 (TH * TW,), the candidate that covers it (0 where none does).
        shape: float32 (TH * TW,), 0..1 darkness of that candidate there.
    """

    index: npt.NDArray[np.int32]
    shape: Float32


def mole_presence(direction: Float64) -> Float32:
    """Returns how much each candidate shows on a person, float32 (CANDIDATES,), 0..1; mostly 0.

    Args:
        direction: float64 (12,), standard-normal.
    """
    score = _directions() @ direction
    return np.clip((score - SINCE) / (FULLY - SINCE), 0.0, 1.0).astype(np.float32)


@cache
def mole_map(shape: tuple[int, int]) -> MoleMap:
    """Returns the map of all candidates at a texture size (TH, TW)."""
    rng = np.random.default_rng(MOLE_SEED + 1)
    head = load_head()
    _, y, z = head.vertices.T
    face = np.flatnonzero(head.skin & (y > 6.1) & (y < 8.0) & (z > 0.7) & (head.lips < 0.1))
    centres = head.vertices[rng.choice(face, CANDIDATES, replace=False)] + rng.normal(0, 0.02, (CANDIDATES, 3))
    radii = RADIUS[0] + (RADIUS[1] - RADIUS[0]) * rng.random(CANDIDATES) ** 2
    darkness = rng.uniform(0.4, 0.9, CANDIDATES)
    distances, nearest = cKDTree(centres).query(texture_domain(shape).positions)
    t = np.clip(2.0 - 2.0 * distances / radii[nearest], 0.0, 1.0)  # full inside half the radius
    covered = darkness[nearest] * t * t * (3.0 - 2.0 * t)
    return MoleMap(index=np.asarray(nearest, dtype=np.int32), shape=covered.astype(np.float32))


@cache
def _directions() -> Float64:
    """Returns a fixed unit direction per candidate, float64 (CANDIDATES, 12)."""
    directions = np.random.default_rng(MOLE_SEED).standard_normal((CANDIDATES, DIRECTION_SIZE))
    return np.asarray(directions / np.linalg.norm(directions, axis=1, keepdims=True), dtype=np.float64)
