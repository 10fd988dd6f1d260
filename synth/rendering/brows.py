"""Brows: short hairs along a bow over each eye. They carry much of how people tell each other apart."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from synth.rendering.attributes import Attributes, BrowTraits
from synth.rendering.face import STRAND_POINTS, Strands
from synth.rendering.head import load_head
from synth.rendering.kernels.raycast import build_mesh, cast_rays
from synth.rendering.regions import smooth_step

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

BROW_SEED = 41
ROOTS_PER_SIDE = 1100
BRIDGE_ROOTS = 90  # of each side, between the brows
WIDTH = 0.0017  # dm
LIFT = 0.012  # dm
BASE_HEIGHT = 7.475  # dm, rest height of an average brow's inner end
RAY_START = 5.0  # dm, before the face
PALE_GREY = 0.10  # linear, of grey brows


def grow_brows(person: Attributes, share: float) -> tuple[Strands, Strands]:
    """Returns the left (+x) and the right brow.

    Args:
        person: decoded from the vector.
        share: 0..1, of the hairs to make; fewer ones are wider.
    """
    return _brow(person, +1.0, share), _brow(person, -1.0, share)


@cache
def _numbers(side: float) -> Float64:
    """Returns fixed random numbers of each root, float64 (n, 8); 0 to 5 uniform, 6 and 7 standard normal."""
    rng = np.random.default_rng(BROW_SEED + (side > 0))
    count = ROOTS_PER_SIDE + BRIDGE_ROOTS
    numbers = np.concatenate([rng.random((count, 6)), rng.standard_normal((count, 2))], axis=1)
    numbers[:BRIDGE_ROOTS, 5] = -1.0  # marks the bridge
    return rng.permutation(numbers)


@cache
def _rest_mesh() -> Any:  # noqa: ANN401
    head = load_head()
    return build_mesh(head.vertices, head.skin_triangles, "cpu")


def _brow(person: Attributes, side: float, share: float) -> Strands:
    traits = person.brows
    numbers = _numbers(side)[: int(share * (ROOTS_PER_SIDE + BRIDGE_ROOTS))]
    bridge = numbers[:, 5] < 0
    numbers = numbers[numbers[:, 1] < np.where(bridge, traits.bridge, traits.density)]
    bridge = numbers[:, 5] < 0
    along = numbers[:, 0] ** 0.9
    x, y = _place(traits, along, np.clip(0.5 * numbers[:, 6], -1, 1), bridge)
    origins = np.stack([side * x, y, np.full_like(x, RAY_START)], axis=1)
    faces, weights, _ = cast_rays(_rest_mesh(), origins, np.tile([[0.0, 0.0, -1.0]], (len(x), 1)))
    found = faces >= 0
    faces, weights, along, numbers = faces[found], weights[found], along[found], numbers[found]
    points = _hairs(traits, side, along, numbers)
    colour = person.hair.colour * traits.darkness * (1 - 0.6 * person.hair.grey) + PALE_GREY * person.hair.grey
    count = len(points)
    return Strands(
        kind="brow",
        points=points,
        normals=np.zeros((0, STRAND_POINTS, 3), dtype=np.float32),
        colours=(colour * np.exp(0.2 * numbers[:, 4:5] - 0.1)).astype(np.float32),
        occlusion=np.full((count, STRAND_POINTS), 0.8, dtype=np.float32),
        width=WIDTH / share,
        ranks=numbers[:, 2].astype(np.float32),
        root_vertices=load_head().skin_triangles[faces],
        root_weights=weights,
        lift=LIFT,
    )


def _place(
    traits: BrowTraits, along: Float64, across: Float64, bridge: npt.NDArray[np.bool_]
) -> tuple[Float64, Float64]:
    """Returns x (before mirroring) and y of roots on the rest head, dm; roots of the bridge lie inwards of the brow."""
    x = traits.inner + (traits.outer - traits.inner) * along
    bow = traits.arch * np.sin(np.clip(1.25 * along, 0, 1.25) * np.pi * 0.72)
    fall = traits.drop * np.clip(along - 0.55, 0, 1) / 0.45
    thickness = traits.thickness * (1 - traits.taper * smooth_step(0.45, 1.0, along)) * smooth_step(-0.08, 0.12, along)
    y = BASE_HEIGHT + traits.height + bow - fall + traits.tilt * along + thickness * across
    bridge_y = BASE_HEIGHT + traits.height + 1.3 * traits.thickness * across
    return np.where(bridge, traits.inner * along, x), np.where(bridge, bridge_y, y)


def _hairs(traits: BrowTraits, side: float, along: Float64, numbers: Float64) -> Float32:
    """Returns the hairs as offsets from their roots, float32 (N, S, 3): upright inside, lying outwards outside."""
    direction = np.stack(
        [side * (0.45 + 0.75 * along), 0.70 - 0.95 * along + 0.15 * numbers[:, 7], 0.02 - 0.35 * along], axis=1
    )
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    length = traits.length * (0.6 + 0.6 * numbers[:, 3]) * (1 - 0.35 * along)
    t = np.linspace(0, 1, STRAND_POINTS)[None, :, None]
    bend = np.array([0.02 * side, -0.03, -0.03]) * t**2
    return (direction[:, None] * t * length[:, None, None] + bend).astype(np.float32)
