"""Spreads points on the unit sphere so that no two are close, some at a time, beside those that are settled.

Written once for numpy and for torch: the arrays of a call are all of one library, which `xp` names.
"""

from __future__ import annotations

import math
from typing import Any, Final, TypeAlias

Array: TypeAlias = Any  # numpy.ndarray or torch.Tensor, float32
Library: TypeAlias = Any  # the module numpy or torch

COLUMNS: Final = 16_384  # settled points that the moving ones are compared with at once; bounds the memory
SHARPNESS: Final = (2.0, 20.0)  # times sqrt(D), at the first and the last step: wide neighbourhoods first
RATE: Final = 0.4  # of the first step; falls linearly to 0
MOMENTUM: Final = 0.8


def spread(
    points: Array, settled: Array, *, steps: int, gallery: Array | None = None, pull: float = 0.0, xp: Library
) -> Array:
    """Moves points away from each other and from settled ones, by gradient descent with momentum on the sphere.

    Each point x has a smooth form of its largest cosine, log(sum of exp(s c)) / s over its cosines c with all other
    points; the sum of these is made small while the sharpness s grows. The packing of HyperFace (Shahreza and Marcel,
    ICLR 2025: the smallest distance is made large, with a pull towards embeddings of faces), in a form that needs no
    more memory for more settled points.

    Args:
        points: float32 (T, D), unit length: where the moving points start.
        settled: float32 (N, D), unit length; N may be 0.
        steps: of the descent, >= 0.
        gallery: float32 (G, D), unit length; each point is drawn towards the one nearest to it.
        pull: how strongly, against a push that is 1 where all neighbours lie in one direction.
        xp: the module `numpy` or `torch`.

    Returns:
        float32 (T, D), unit length.
    """
    velocity = xp.zeros_like(points)
    first, last = (factor * math.sqrt(points.shape[1]) for factor in SHARPNESS)
    for step in range(steps):
        progress = step / steps
        force = _push(points, settled, first * (last / first) ** progress, xp)
        if gallery is not None and pull:
            force -= pull * gallery[(points @ gallery.T).argmax(1)]
        force -= (force * points).sum(1)[:, None] * points  # along the sphere
        velocity = MOMENTUM * velocity - RATE * (1 - progress) * force
        points = _unit(points + velocity, xp)
    return points


def _push(points: Array, settled: Array, sharpness: float, xp: Library) -> Array:
    """Returns the gradient of the sum of smooth largest cosines, (T, D).

    It is the mean of each point's neighbours, weighted by exp(sharpness * cosine), and the points whose neighbour it
    is. The weights are summed over blocks of columns, scaled by the largest cosine so far.
    """
    blocks = [settled[start : start + COLUMNS] for start in range(0, len(settled), COLUMNS)]
    highest = xp.zeros_like(points[:, 0]) - 2
    total = xp.zeros_like(highest)
    push = xp.zeros_like(points)
    for block in [*blocks, points]:
        weights = points @ block.T
        if block is points:  # last of all; a point is not its own neighbour
            weights.reshape(-1)[:: len(points) + 1] = -2  # the diagonal, without an index from the host
        before, highest = highest, xp.maximum(highest, xp.amax(weights, 1))
        weights -= highest[:, None]
        weights *= sharpness
        xp.exp(weights, out=weights)
        scale = xp.exp(sharpness * (before - highest))
        total = scale * total + weights.sum(1)
        push = scale[:, None] * push + weights @ block
    weights /= total[:, None]
    return push / total[:, None] + weights.T @ points


def _unit(vectors: Array, xp: Library) -> Array:
    return vectors / xp.sqrt((vectors * vectors).sum(1))[:, None]
