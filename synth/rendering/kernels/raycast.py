"""Casts rays onto a triangle mesh."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import warp as wp

from synth.rendering.kernels import runtime  # noqa: F401  (sets Warp up before the first kernel)

Float32 = npt.NDArray[np.float32]


@wp.kernel
def cast(
    mesh: wp.uint64,
    origins: wp.array(dtype=wp.vec3),
    directions: wp.array(dtype=wp.vec3),
    reach: float,
    faces: wp.array(dtype=int),
    weights: wp.array(dtype=wp.vec3),
    distances: wp.array(dtype=float),
):
    """Finds the first triangle on each ray; -1 where there is none."""
    i = wp.tid()
    hit = wp.mesh_query_ray(mesh, origins[i], directions[i], reach)
    faces[i] = -1
    distances[i] = -1.0
    if hit.result:
        faces[i] = hit.face
        weights[i] = wp.vec3(hit.u, hit.v, 1.0 - hit.u - hit.v)
        distances[i] = hit.t


def build_mesh(vertices: Float32, triangles: npt.NDArray[np.int32], device: str) -> Any:  # noqa: ANN401
    """Returns a Warp mesh with its search tree.

    Args:
        vertices: float32 (V, 3).
        triangles: int32 (F, 3).
        device: Warp device, like 'cpu' or 'cuda:0'.
    """
    points: Any = wp.array(np.ascontiguousarray(vertices, dtype=np.float32), dtype=wp.vec3, device=device)
    corners: Any = wp.array(np.ascontiguousarray(triangles.ravel(), dtype=np.int32), dtype=int, device=device)
    return wp.Mesh(points=points, indices=corners)


def cast_rays(
    mesh: Any,  # noqa: ANN401
    origins: npt.NDArray[np.floating],
    directions: npt.NDArray[np.floating],
    reach: float = 50.0,
) -> tuple[npt.NDArray[np.int32], Float32, Float32]:
    """Returns where rays hit a mesh first.

    Args:
        mesh: of `build_mesh`.
        origins: (N, 3).
        directions: (N, 3), unit.
        reach: length of the rays.

    Returns:
        triangles int32 (N,), -1 without a hit; weights float32 (N, 3) of the triangle's corners, sum 1 (0 without a
        hit); distances float32 (N,), -1 without a hit.
    """
    device = mesh.device
    count = len(origins)
    faces = wp.zeros(count, dtype=int, device=device)
    weights = wp.zeros(count, dtype=wp.vec3, device=device)
    distances = wp.zeros(count, dtype=float, device=device)
    rays: list[Any] = [
        wp.array(np.ascontiguousarray(array, dtype=np.float32), dtype=wp.vec3, device=device)
        for array in (origins, directions)
    ]
    wp.launch(cast, dim=count, inputs=[mesh.id, *rays, reach], outputs=[faces, weights, distances], device=device)
    return faces.numpy(), weights.numpy(), distances.numpy()
