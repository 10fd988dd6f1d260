"""Fixed places on the rest head where hair can grow, the same for every person.

A person's hair is a subset of them: what thins it is a density computed from the attributes, compared with a fixed
random number per root. So close vectors keep nearly the same hairs, and nothing has to be seeded by a vector.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from synth.rendering.head import Head

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Roots:
    """Points on the skin with fixed random numbers, in random order (a prefix is an even thinning).

    Attributes:
        numbers: int64 (N,), place of each root in the whole set.
        vertices: int32 (N, 3), corners of the triangle below each root.
        weights: float32 (N, 3), of the corners, sum 1.
        positions: float32 (N, 3), dm, on the rest head.
        uniform: float32 (N, 8), fixed random numbers in 0..1.
        normal: float32 (N, 8), fixed random numbers, standard normal.
    """

    numbers: npt.NDArray[np.int64]
    vertices: npt.NDArray[np.int32]
    weights: Float32
    positions: Float32
    uniform: Float32
    normal: Float32

    def on(self, values: Float32) -> Float32:
        """Returns per-vertex values (V, K) interpolated at the roots, float32 (N, K)."""
        return np.asarray(np.einsum("nc,nck->nk", self.weights, values[self.vertices]), dtype=np.float32)

    def take(self, chosen: npt.NDArray[np.bool_] | npt.NDArray[np.int64] | slice) -> Roots:
        """Returns the roots at a mask, at positions or of a slice."""
        return replace(self, **{name: getattr(self, name)[chosen] for name in self.__slots__})


def scatter_roots(head: Head, density: Float32, count: int, seed: int) -> Roots:
    """Spreads roots over the skin of the rest head.

    Args:
        head: of `load_head`.
        density: float32 (V,), roots per area, relative.
        count: number of roots.
        seed: fixed by the caller, one number per kind of hair.
    """
    rng = np.random.default_rng(seed)
    triangles = head.skin_triangles
    a, b, c = (head.vertices[triangles[:, corner]] for corner in range(3))
    mass = np.linalg.norm(np.cross(b - a, c - a), axis=1) * density[triangles].mean(axis=1)
    chosen = rng.choice(len(triangles), count, p=mass / mass.sum())
    pair = rng.random((count, 2))
    outside = pair.sum(axis=1) > 1
    pair[outside] = 1 - pair[outside]
    weights = np.column_stack([pair, 1 - pair.sum(axis=1)]).astype(np.float32)
    return fix_roots(head, triangles[chosen], weights, rng)


def fix_roots(head: Head, vertices: npt.NDArray[np.int32], weights: Float32, rng: np.random.Generator) -> Roots:
    """Returns roots at given places, with random numbers drawn from `rng`.

    Args:
        head: of `load_head`.
        vertices: int32 (N, 3).
        weights: float32 (N, 3), sum 1.
        rng: of the kind of hair.
    """
    count = len(vertices)
    return Roots(
        numbers=np.arange(count),
        vertices=vertices.astype(np.int32),
        weights=weights.astype(np.float32),
        positions=np.einsum("nc,nck->nk", weights, head.vertices[vertices]).astype(np.float32),
        uniform=rng.random((count, 8), dtype=np.float32),
        normal=rng.standard_normal((count, 8), dtype=np.float32),
    )
