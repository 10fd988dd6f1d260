"""Where each pixel of the cylindrical skin texture lies on the rest head."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from synth.rendering.head import load_head
from synth.rendering.kernels.raycast import build_mesh, cast_rays

Float32 = npt.NDArray[np.float32]

RAY_START = 4.0  # dm from the axis, outside the head
EMPTY_RADIUS = 1.0  # dm; where a ray misses (above the crown)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextureDomain:
    """The rest surface seen by the pixels of a texture, row-major.

    Attributes:
        shape: (TH, TW).
        positions: float32 (TH * TW, 3), dm, on the rest head.
        lips: float32 (TH * TW,), 0..1.
        ears: float32 (TH * TW,), 0..1.
    """

    shape: tuple[int, int]
    positions: Float32
    lips: Float32
    ears: Float32


@cache
def texture_domain(shape: tuple[int, int]) -> TextureDomain:
    """Returns the domain at a texture size, computed once per process by casting rays from outside to the axis.

    Args:
        shape: (TH, TW).
    """
    head = load_head()
    rows, columns = shape
    heights = head.texture_bottom + (np.arange(rows) + 0.5) / rows * (head.texture_top - head.texture_bottom)
    azimuths = ((np.arange(columns) + 0.5) / columns - 0.5) * 2 * np.pi
    azimuth, height = (grid.ravel() for grid in np.meshgrid(azimuths, heights))
    outwards = np.stack([np.sin(azimuth), np.zeros_like(azimuth), np.cos(azimuth)], axis=1)
    axis = np.stack([np.zeros_like(height), height, np.full_like(height, head.texture_axis_z)], axis=1)
    origins = axis + outwards * RAY_START

    triangles = head.skin_triangles
    faces, weights, distances = cast_rays(build_mesh(head.vertices, triangles, "cpu"), origins, -outwards)
    depth = np.where(distances > 0, distances, RAY_START - EMPTY_RADIUS)
    corners = triangles[np.maximum(faces, 0)]
    return TextureDomain(
        shape=shape,
        positions=(origins - outwards * depth[:, None]).astype(np.float32),
        lips=(head.lips[corners] * weights).sum(axis=1),
        ears=(head.ears[corners] * weights).sum(axis=1),
    )
