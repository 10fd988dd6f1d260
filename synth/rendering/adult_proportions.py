"""Brings MakeHuman's average faces to the proportions of adults.

Its eyes and mouths are small in wide heads, its brows sit high above bulging eyes over flat cheeks. Widths follow means
of 3,997 people (Zhuang and Bradtmiller 2005, "Head-and-face anthropometric survey of U.S. respirator users"), women and
men: between the pupils 61.9 and 64.5 mm, lips 48.0 and 51.1 mm, cheekbones 135.1 and 143.5 mm. Brows end 22 mm above
the pupils: in women at rest it is 25 mm (McKinney, Mossie and Zukowski 1991, "Criteria for the forehead lift"), in men
less. How far cheeks, nose, chin and forehead stand before the eyes was set by eye, and by where a recogniser trained on
the renders sees the mean of photos among them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from synth.rendering.head import load_head
from synth.rendering.regions import smooth_step

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

EYES_OUT = 0.020  # dm, each
EYES_BACK = 0.012  # dm
EYE_SCALE = 0.06  # lids and eyeballs grow by this share
MOUTH_OUT = 0.024  # dm, each corner
MOUTH_REACH = 0.16  # dm
SIDES_IN = {"cheekbones": (7.10, 0.22, 0.022), "jaw": (6.55, 0.26, 0.012)}  # height, its sd, shift of a side; dm
INNER, OUTER = 0.28, 0.58  # dm from the midline, between which the sides' shift grows: nose and mouth keep their width
FREE = (0.16, 0.32)  # dm from an eye's centre, between which moves begin
MIDLINE = 0.1  # dm, on which moves outwards fade


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A soft move of a part of the face, on both sides alike; dm.

    Attributes:
        at: of its middle, from the midline and above the eyes.
        reach: standard deviations, sideways and upwards.
        by: outwards, upwards and forwards.
    """

    at: tuple[float, float]
    reach: tuple[float, float]
    by: tuple[float, float, float]


MOVES = {
    "brow ridges": Move(at=(0.25, 0.27), reach=(0.30, 0.16), by=(-0.015, -0.050, 0.0)),
    "forehead": Move(at=(0.0, 0.60), reach=(0.50, 0.20), by=(0.0, -0.020, -0.015)),
    "cheeks": Move(at=(0.36, -0.30), reach=(0.26, 0.21), by=(0.0, 0.0, 0.070)),
    "nose": Move(at=(0.0, -0.30), reach=(0.12, 0.20), by=(0.0, 0.018, 0.030)),
    "chin": Move(at=(0.0, -1.10), reach=(0.30, 0.15), by=(0.0, 0.0, 0.030)),
}


@cache
def adult_offset() -> Float32:
    """Returns what is added to the average head, float32 (V, 3), dm."""
    return (_eyes() + _mouth() + _sides() + _moves()).astype(np.float32)


def _eyes() -> Float64:
    """Sets larger eyes apart and back, lids with them."""
    head = load_head()
    offset = np.zeros(head.vertices.shape)
    for centre, near in zip(head.eye_centres, _near_eyes(), strict=True):
        offset += near[:, None] * [EYES_OUT * np.sign(centre[0]), 0.0, -EYES_BACK]
        offset += near[:, None] * EYE_SCALE * (head.vertices - centre)
    return offset


def _mouth() -> Float64:
    """Widens the mouth."""
    head = load_head()
    x, y, z = head.vertices.T
    corner = head.vertices[head.landmark_vertices[2]]
    beyond = np.maximum(np.abs(x) - corner[0], 0.0)
    near = np.exp(-(beyond**2 + (y - corner[1]) ** 2) / (2 * MOUTH_REACH**2)) * (z > 0)
    return _along(0, MOUTH_OUT * near * np.clip(x / corner[0], -1, 1))


def _sides() -> Float64:
    """Narrows the head at cheekbones and jaw."""
    x, y, _ = load_head().vertices.T
    side = np.sign(x) * smooth_step(INNER, OUTER, np.abs(x)) * (1.0 - _near_eyes()).prod(axis=0)
    shift = sum(inwards * np.exp(-(((y - at) / sd) ** 2) / 2) for at, sd, inwards in SIDES_IN.values())
    return _along(0, -shift * side)


def _moves() -> Float64:
    """Applies the moves to all but the lids, which follow the eyes."""
    head = load_head()
    x, y, z = head.vertices.T
    up = y - head.eye_centres[0, 1]
    from_eye = np.linalg.norm(head.vertices[:, None] - head.eye_centres, axis=2).min(axis=1)
    free = smooth_step(*FREE, from_eye) * smooth_step(-0.2, 0.4, z)
    offset = np.zeros(head.vertices.shape)
    for move in MOVES.values():
        sideways = (np.abs(x) - move.at[0]) / move.reach[0]
        near = free * np.exp(-(sideways**2 + ((up - move.at[1]) / move.reach[1]) ** 2) / 2)
        outwards, upwards, forwards = move.by
        offset += near[:, None] * np.stack(
            [outwards * np.tanh(x / MIDLINE), np.full_like(x, upwards), np.full_like(x, forwards)], axis=1
        )
    return offset


@cache
def _near_eyes() -> Float64:
    """Returns how much a vertex goes with the left and with the right eye, (2, V), 0..1."""
    head = load_head()
    shares = []
    for centre, ids in zip(head.eye_centres, head.eye_vertices, strict=True):
        share = smooth_step(0.42, 0.18, np.linalg.norm((head.vertices - centre) / [1.0, 0.9, 1.4], axis=1))
        share[ids] = 1.0
        shares.append(share.astype(np.float64))
    return np.stack(shares)


def _along(axis: int, amount: Float64) -> Float64:
    """Returns moves (V, 3) along one axis."""
    moves = np.zeros((len(amount), 3))
    moves[:, axis] = amount
    return moves
