"""Brings the widths of MakeHuman's average faces to those of adults: its eyes and mouths are small in wide heads.

The targets are the means of 3,997 people (Zhuang and Bradtmiller 2005, "Head-and-face anthropometric survey of U.S.
respirator users"), women and men: between the pupils 61.9 and 64.5 mm, lips 48.0 and 51.1 mm, cheekbones 135.1 and
143.5 mm, jaw 110.1 and 120.4 mm.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from synth.rendering.head import load_head
from synth.rendering.regions import smooth_step

Float32 = npt.NDArray[np.float32]

EYES_OUT = 0.026  # dm, each
EYE_SCALE = 0.06  # lids and eyeballs grow by this share
MOUTH_OUT = 0.024  # dm, each corner
MOUTH_REACH = 0.16  # dm
SIDES_IN = {"cheekbones": (7.10, 0.22, 0.025), "jaw": (6.55, 0.26, 0.065)}  # height, its sd, shift of a side; dm
INNER, OUTER = 0.28, 0.58  # dm from the midline, between which the sides' shift grows: nose and mouth keep their width


@cache
def adult_offset() -> Float32:
    """Returns what is added to the average head, float32 (V, 3), dm."""
    head = load_head()
    x, y, z = head.vertices.T
    offset = np.zeros(head.vertices.shape)
    sides = np.sign(x) * smooth_step(INNER, OUTER, np.abs(x))
    for centre, ids in zip(head.eye_centres, head.eye_vertices, strict=True):
        away = head.vertices - centre
        near = smooth_step(0.42, 0.18, np.linalg.norm(away / [1.0, 0.9, 1.4], axis=1))
        near[ids] = 1.0
        offset[:, 0] += EYES_OUT * np.sign(centre[0]) * near
        offset += EYE_SCALE * near[:, None] * away
        sides *= 1.0 - near
    corner = head.vertices[head.landmark_vertices[2]]
    beyond = np.maximum(np.abs(x) - corner[0], 0.0)
    near = np.exp(-(beyond**2 + (y - corner[1]) ** 2) / (2 * MOUTH_REACH**2)) * (z > 0)
    offset[:, 0] += MOUTH_OUT * near * np.clip(x / corner[0], -1, 1)
    for height, spread, shift in SIDES_IN.values():
        offset[:, 0] -= shift * sides * np.exp(-(((y - height) / spread) ** 2) / 2)
    return offset.astype(np.float32)
