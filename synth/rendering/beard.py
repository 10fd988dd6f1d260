"""Facial hair: stubble, moustache, goatee or full beard."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from synth.rendering.attributes import Attributes, BeardKind
from synth.rendering.decoding import GREY_HAIR
from synth.rendering.face import STRAND_POINTS, Strands
from synth.rendering.head import load_head
from synth.rendering.regions import beard_regions
from synth.rendering.roots import Roots, scatter_roots

Float32 = npt.NDArray[np.float32]

BEARD_SEED = 61
ROOT_COUNT = 20_000
WIDTH = 0.0018  # dm
DENSITY: dict[BeardKind, float] = {"clean": 0.0, "stubble": 0.45, "moustache": 1.0, "goatee": 0.85, "full": 0.9}
HIGHEST_CHEEK_LINE = 0.2  # dm

# Columns of Roots.uniform and Roots.normal.
PRESENCE, RANK, LENGTH, PHASE = 0, 1, 2, 3
COLOUR, GREY = 3, 4


def grow_beard(person: Attributes, normals: Float32, share: float) -> Strands | None:
    """Returns the beard, or None for a shaved face.

    Args:
        person: decoded from the vector.
        normals: float32 (V, 3), unit, of the neutral head.
        share: 0..1, of the hairs to make; fewer ones are wider.
    """
    kind = person.beard.kind
    if kind == "clean":
        return None
    roots = _all_roots().take(slice(0, int(share * ROOT_COUNT)))
    moustache, chin, whole = beard_regions(roots.positions, person.beard.cheek_line)
    region = {
        "stubble": np.maximum(moustache, whole),
        "moustache": moustache,
        "goatee": np.maximum(moustache, chin),
        "full": np.maximum(moustache, whole),
    }[kind]
    density = region**1.5 * DENSITY[kind] * person.beard.fullness
    roots = roots.take(roots.uniform[:, PRESENCE] < density)
    hair = person.hair
    tint = 0.8 * hair.colour * np.exp(0.2 * roots.normal[:, COLOUR, None])
    grey = np.clip(1.2 * hair.grey + 0.3 * roots.normal[:, GREY, None], 0, 1) * min(1.0, 5 * hair.grey)
    points = _hairs(person, roots, roots.on(normals))
    return Strands(
        kind="beard",
        points=points,
        normals=np.zeros((0, STRAND_POINTS, 3), dtype=np.float32),
        colours=(tint * (1 - grey) + GREY_HAIR * grey).astype(np.float32),
        occlusion=np.full(points.shape[:2], 0.8, dtype=np.float32),
        width=WIDTH / share,
        ranks=roots.uniform[:, RANK],
        root_vertices=roots.vertices,
        root_weights=roots.weights,
    )


@cache
def _all_roots() -> Roots:
    head = load_head()
    moustache, _, whole = beard_regions(head.vertices, HIGHEST_CHEEK_LINE)
    density = np.maximum(moustache, whole) * (head.lips < 0.2) * (head.ears < 0.3)
    return scatter_roots(head, density.astype(np.float32), ROOT_COUNT, BEARD_SEED)


def _hairs(person: Attributes, roots: Roots, outwards: Float32) -> Float32:
    """Returns the hairs as offsets from their roots, float32 (N, S, 3): down and outwards, hanging, curled if full."""
    count = len(roots.numbers)
    x = roots.positions[:, 0]
    direction = np.stack([0.8 * x, np.full(count, -0.9), np.full(count, 0.35)], axis=1)
    direction = direction + 0.25 * roots.normal[:, :3]
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    direction = 0.75 * direction + 0.32 * outwards
    length = (person.beard.length * (0.6 + 0.7 * roots.uniform[:, LENGTH]))[:, None, None]
    t = np.linspace(0, 1, STRAND_POINTS)[None, :, None]
    offsets = direction[:, None] * t * length + np.array([0.0, -0.25, -0.12]) * t**2 * length
    if person.beard.kind == "full":
        phase = 2 * np.pi * roots.uniform[:, PHASE : PHASE + 3]
        offsets = offsets + person.beard.curl * np.sin(7 * t + phase[:, None]) * t
    return np.asarray(offsets, dtype=np.float32)
