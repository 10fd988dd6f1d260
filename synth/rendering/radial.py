"""Distance from a centre inside the head to its skin in every direction."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from synth.rendering.face import RadialMap
from synth.rendering.head import load_head
from synth.rendering.kernels.raycast import cast_rays

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

ROWS, COLUMNS = 48, 96  # polar, azimuth
RAY_START = 4.0  # dm
MISSED_RADIUS = 0.5  # dm, where a ray leaves through the neck
SKULL_FROM = 7.3  # dm, rest height of the vertices whose mean is the centre
CENTRE_DROP = 0.25  # dm


def build_radial_map(vertices: Float32, skin_mesh: Any) -> RadialMap:  # noqa: ANN401
    """Returns the radial map of a head, smoothed by one cell.

    Args:
        vertices: float32 (V, 3), dm.
        skin_mesh: of `kernels.raycast.build_mesh`, the skin of `vertices`.
    """
    head = load_head()
    centre = vertices[head.skin & (head.vertices[:, 1] > SKULL_FROM)].mean(axis=0) * [0, 1, 1]
    centre[1] -= CENTRE_DROP
    polar = (np.arange(ROWS) + 0.5) / ROWS * np.pi
    azimuth = (np.arange(COLUMNS) + 0.5) / COLUMNS * 2 * np.pi - np.pi
    theta, phi = (grid.ravel() for grid in np.meshgrid(polar, azimuth, indexing="ij"))
    directions = np.stack([np.sin(theta) * np.sin(phi), np.cos(theta), np.sin(theta) * np.cos(phi)], axis=1)
    _, _, distances = cast_rays(skin_mesh, centre + directions * RAY_START, -directions)
    radii = np.where(distances > 0, RAY_START - distances, MISSED_RADIUS).reshape(ROWS, COLUMNS)
    smooth = gaussian_filter(radii, 1, mode=["nearest", "wrap"])
    return RadialMap(centre=centre.astype(np.float32), radii=smooth.astype(np.float32))


def skin_distance(radial: RadialMap, points: npt.NDArray[np.floating]) -> tuple[Float32, Float32, Float32]:
    """Returns where points lie relative to the skin.

    Args:
        radial: of `build_radial_map`.
        points: (..., 3), dm, head frame.

    Returns:
        radius of the skin in the point's direction (...), the point's own radius (...), its direction (..., 3);
        all float32.
    """
    away = (points - radial.centre).astype(np.float32)
    radius = np.sqrt((away * away).sum(axis=-1)) + np.float32(1e-6)
    direction = away / radius[..., None]
    row = np.arccos(np.clip(direction[..., 1], -1, 1)) / np.pi * ROWS - 0.5
    column = (np.arctan2(away[..., 0], away[..., 2]) + np.pi) / (2 * np.pi) * COLUMNS - 0.5
    top = np.clip(np.floor(row).astype(np.int32), 0, ROWS - 2)
    left = np.floor(column).astype(np.int32)
    down = np.clip(row - top, 0, 1).astype(np.float32)
    right = (column - left).astype(np.float32)
    near, far = left % COLUMNS, (left + 1) % COLUMNS
    upper = radial.radii[top, near] * (1 - right) + radial.radii[top, far] * right
    lower = radial.radii[top + 1, near] * (1 - right) + radial.radii[top + 1, far] * right
    return upper * (1 - down) + lower * down, radius, direction
