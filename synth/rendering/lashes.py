"""Eyelashes: short hairs along the edges of the lids, which MakeHuman's lash strips find."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.spatial import KDTree

from synth.rendering.attributes import Attributes
from synth.rendering.face import STRAND_POINTS, Strands
from synth.rendering.head import Head, load_head

Float32 = npt.NDArray[np.float32]

LASH_SEED = 51
WIDTH = 0.0012  # dm
COUNTS = {"upper": 120, "lower": 42}
LENGTHS = {"upper": 0.062, "lower": 0.030}  # dm
COLOUR = (0.012, 0.009, 0.008)  # linear RGB
RISE = {"upper": 0.55, "lower": -0.45}  # y of the first direction
CURL = {"upper": 0.015, "lower": -0.01}  # dm, of the tip


def grow_lashes(person: Attributes, share: float) -> Strands:
    """Returns the lashes of both eyes.

    Args:
        person: decoded from the vector.
        share: 0..1, of the hairs to make; fewer ones are wider.
    """
    roots, weights, offsets, ranks = _rest_lashes()
    kept = np.arange(int(share * len(ranks)))
    scale = np.float32(person.lips.lash_length)
    return Strands(
        kind="lash",
        points=offsets[kept] * scale,
        normals=np.zeros((0, STRAND_POINTS, 3), dtype=np.float32),
        colours=np.tile(np.array([COLOUR], dtype=np.float32), (len(kept), 1)),
        occlusion=np.full((len(kept), STRAND_POINTS), 0.8, dtype=np.float32),
        width=WIDTH / share,
        ranks=ranks[kept],
        root_vertices=roots[kept],
        root_weights=weights[kept],
    )


@cache
def _rest_lashes() -> tuple[npt.NDArray[np.int32], Float32, Float32, Float32]:
    """Returns root vertices (N, 3), weights (N, 3), offsets (N, S, 3) and ranks (N,), in random order."""
    rng = np.random.default_rng(LASH_SEED)
    head = load_head()
    strips = [_strip(head, eye, edge, rng) for eye in ("left", "right") for edge in ("upper", "lower")]
    roots, weights, offsets = (np.concatenate([strip[k] for strip in strips]) for k in range(3))
    order = rng.permutation(len(roots))
    ranks = rng.random(len(roots), dtype=np.float32)
    return roots[order].astype(np.int32), weights[order].astype(np.float32), offsets[order].astype(np.float32), ranks


def _strip(
    head: Head, eye: str, edge: str, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Returns root vertices, weights and offsets of one strip; roots lie on the skin, so that they go with the lids."""
    side = 1.0 if eye == "left" else -1.0
    vertices = head.lashes[f"{eye}_{edge}"]
    centre = head.eye_centres[0 if eye == "left" else 1]
    distance = np.linalg.norm(head.vertices[vertices] - centre, axis=1)
    inner = vertices[distance < np.quantile(distance, 0.5)]
    skin = np.flatnonzero(head.skin)
    _, nearest = KDTree(head.vertices[skin]).query(head.vertices[inner])
    edge_of_lid = np.unique(skin[nearest])
    inner = edge_of_lid[np.argsort(head.vertices[edge_of_lid, 0] * side, kind="stable")]

    count = COUNTS[edge]
    place = rng.random(count) * (len(inner) - 1)
    first = np.floor(place).astype(int)
    between = place - first
    second = np.minimum(first + 1, len(inner) - 1)
    roots = np.stack([inner[first], inner[second], inner[first]], axis=1)
    weights = np.stack([1 - between, between, np.zeros(count)], axis=1)

    outwards = place / (len(inner) - 1)
    direction = np.stack([side * (outwards - 0.25), np.full(count, RISE[edge]), np.full(count, 0.9)], axis=1)
    direction += 0.12 * rng.standard_normal((count, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    length = LENGTHS[edge] * (0.7 + 0.5 * rng.random(count))
    t = np.linspace(0, 1, STRAND_POINTS)[None, :, None]
    offsets = direction[:, None] * t * length[:, None, None] + np.array([0.0, CURL[edge], 0.0]) * t**2
    return roots, weights, offsets
