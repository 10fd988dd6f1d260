"""Radiance transfer of vertices by casting rays (Sloan, Kautz, Snyder 2002: diffuse, shadowed)."""

from __future__ import annotations

import warp as wp

from synth.rendering.kernels import runtime  # noqa: F401  (sets Warp up before the first kernel)

LIFT = wp.constant(0.012)  # dm, keeps a ray from hitting the triangles it starts on
REACH = wp.constant(3.0)  # dm


@wp.kernel
def transfer_radiance(
    mesh: wp.uint64,
    positions: wp.array(dtype=wp.vec3),
    normals: wp.array(dtype=wp.vec3),
    directions: wp.array(dtype=wp.vec3),
    harmonics: wp.array2d(dtype=float),
    transfer: wp.array2d(dtype=float),
):
    """Sums cosine times harmonics over the directions a vertex sees, one thread a vertex."""
    i = wp.tid()
    normal = normals[i]
    origin = positions[i] + normal * LIFT
    for k in range(directions.shape[0]):
        cosine = wp.dot(normal, directions[k])
        if cosine > 0.0:
            hit = wp.mesh_query_ray(mesh, origin, directions[k], REACH)
            if not hit.result:
                for j in range(9):
                    transfer[i, j] = transfer[i, j] + cosine * harmonics[k, j]
