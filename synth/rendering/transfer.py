"""How a head shadows itself: radiance transfer of each vertex in real spherical harmonics."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import warp as wp

from synth.rendering.head import load_head
from synth.rendering.kernels.transfer import transfer_radiance

Float32 = npt.NDArray[np.float32]

LOWEST_SHADOWED = 5.0  # dm, rest height; clothes hide what is below
COSINE_LOBE = np.array([np.pi] + [2 * np.pi / 3] * 3 + [np.pi / 4] * 5)  # Ramamoorthi and Hanrahan 2001, eq. 8
UNSHADOWED_SHARE = 0.7  # of the cosine lobe, for eyes and mouth, which sit in hollows
SMOOTHED_SHARE = 0.6
EYE_CAVITY = 0.75


def harmonics(directions: npt.NDArray[np.floating]) -> Float32:
    """Returns the nine real spherical harmonics up to order 2, float32 (N, 9).

    Order: 1; y z x; xy yz 3z^2-1 xz x^2-y^2.

    Args:
        directions: (N, 3), unit.
    """
    x, y, z = directions.T
    values = [
        np.full_like(x, 0.282095),
        0.488603 * y,
        0.488603 * z,
        0.488603 * x,
        1.092548 * x * y,
        1.092548 * y * z,
        0.315392 * (3 * z * z - 1),
        1.092548 * x * z,
        0.546274 * (x * x - y * y),
    ]
    return np.stack(values, axis=1).astype(np.float32)


@cache
def sphere_directions(count: int) -> Float32:
    """Returns evenly spread directions, a Fibonacci spiral, float32 (count, 3), unit."""
    index = np.arange(count) + 0.5
    z = 1 - 2 * index / count
    radius = np.sqrt(1 - z * z)
    angle = np.pi * (1 + np.sqrt(5)) * index
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), z], axis=1).astype(np.float32)


def radiance_transfer(vertices: Float32, normals: Float32, skin_mesh: Any, rays: int) -> Float32:  # noqa: ANN401
    """Returns the transfer of each vertex, float32 (V, 9): its dot product with a light's harmonics is irradiance.

    Args:
        vertices: float32 (V, 3), dm.
        normals: float32 (V, 3), unit.
        skin_mesh: of `kernels.raycast.build_mesh`, the skin of `vertices`; its device does the work.
        rays: directions cast, 48 for small pictures, 96 for large ones.
    """
    head = load_head()
    device = skin_mesh.device
    shadowed = np.flatnonzero(head.skin & (head.vertices[:, 1] > LOWEST_SHADOWED))
    directions = sphere_directions(rays)
    rays_and_points: list[Any] = [
        wp.array(np.ascontiguousarray(array), dtype=wp.vec3, device=device)
        for array in (vertices[shadowed], normals[shadowed], directions)
    ]
    basis: Any = wp.array(harmonics(directions), dtype=float, device=device)
    sums: Any = wp.zeros((len(shadowed), 9), dtype=float, device=device)
    wp.launch(
        transfer_radiance,
        dim=len(shadowed),
        inputs=[skin_mesh.id, *rays_and_points, basis],
        outputs=[sums],
        device=device,
    )
    transfer = (harmonics(normals) * COSINE_LOBE * UNSHADOWED_SHARE).astype(np.float32)
    transfer[head.skin] = 0.0
    transfer[shadowed] = sums.numpy() * (4 * np.pi / rays)
    smoothed = head.smooth(transfer, 1)
    return np.asarray(SMOOTHED_SHARE * smoothed + (1 - SMOOTHED_SHARE) * transfer, dtype=np.float32)


def cavity(transfer: Float32) -> Float32:
    """Returns how open each vertex lies, float32 (V,), 0 (deep) .. 1 (open); eyeballs get a constant.

    Args:
        transfer: of `radiance_transfer`.
    """
    head = load_head()
    openness = np.clip(transfer[:, 0] / (0.282095 * np.pi), 0.0, 1.0) ** 0.7
    for ids in head.eye_vertices:
        openness[ids] = EYE_CAVITY
    return np.asarray(openness, dtype=np.float32)
