"""Keeps lids on their eyeballs, however much a person's shape moves both."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synth.rendering.head import Head
from synth.rendering.regions import smooth_step

Float32 = npt.NDArray[np.float32]

TOUCHING, FREE = 1.3, 2.2  # eyeball radii from the centre: up to where lids follow, and from where on nothing does


def fit_lids(vertices: Float32, average: Float32, head: Head) -> Float32:
    """Returns a shape whose lids are as far from the eyeballs as the average head's are.

    Controls and fields move lids and eyeballs by different amounts, so that white would show through cheeks and under
    lids. Distances are taken from the centre of the eye, in radii of the eyeball; directions stay, and with them the
    shape of the opening.

    Args:
        vertices: float32 (V, 3), dm, of a person.
        average: float32 (V, 3), dm, of the average head of that person's sex, age and ancestry.
        head: that both are shapes of.
    """
    fitted = vertices.copy()
    for ids in head.eye_vertices:
        old, old_radius = _ball(average[ids])
        new, new_radius = _ball(vertices[ids])
        reach = np.linalg.norm(average - old, axis=1) / old_radius
        lids = np.flatnonzero(head.skin & (reach < FREE))
        away = vertices[lids] - new
        change = reach[lids] * new_radius / np.linalg.norm(away, axis=1) - 1.0
        share = smooth_step(FREE, TOUCHING, reach[lids])
        fitted[lids] = new + away * (1.0 + share * change)[:, None]
    return fitted


def _ball(vertices: Float32) -> tuple[Float32, float]:
    """Returns centre (3,) and radius of an eyeball."""
    centre = vertices.mean(axis=0)
    return centre, float(np.linalg.norm(vertices - centre, axis=1).mean())
