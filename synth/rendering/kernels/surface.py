"""Where a sample meets the mesh: position, normals and what the vertices carry, interpolated."""

import warp as wp

from synth.rendering.kernels.lights import Light, positive
from synth.rendering.kernels.raster import View


@wp.struct
class Mesh:
    """The posed triangles: head first, then what is worn. World frame but for `rest`, the unposed head frame."""

    triangles: wp.array2d(dtype=wp.int32)
    parts: wp.array(dtype=wp.int32)
    opacities: wp.array(dtype=float)  # by part
    projected: wp.array(dtype=wp.vec3)
    points: wp.array(dtype=wp.vec3)
    normals: wp.array(dtype=wp.vec3)
    smooth_normals: wp.array(dtype=wp.vec3)
    rest: wp.array(dtype=wp.vec3)
    transfer: wp.array2d(dtype=float)
    cavity: wp.array(dtype=float)


@wp.struct
class Hit:
    """One sample on the mesh.

    `towards_camera` and the normals are unit vectors, `ambient` is the environment's irradiance with
    self-shadowing, `cavity` 0 deep .. 1 open, `inside` is 1 where the skin is seen from its inner side (deep in the
    nostrils), `turn` an angle that differs from sample to sample.
    """

    part: int
    point: wp.vec3
    rest: wp.vec3
    normal: wp.vec3
    smooth_normal: wp.vec3
    towards_camera: wp.vec3
    ambient: wp.vec3
    cavity: float
    inside: float
    turn: float


@wp.func
def towards_camera(point: wp.vec3, view: View) -> wp.vec3:
    """Returns the unit vector from a world point to the camera."""
    return wp.normalize(wp.vec3(0.0, 0.0, view.distance) - point)


@wp.func
def weights_at(triangle: int, x: float, y: float, mesh: Mesh) -> wp.vec3:
    """Returns the perspective-correct barycentric weights of a sample position."""
    a = mesh.projected[mesh.triangles[triangle, 0]]
    b = mesh.projected[mesh.triangles[triangle, 1]]
    c = mesh.projected[mesh.triangles[triangle, 2]]
    area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    wa = ((b[0] - x) * (c[1] - y) - (b[1] - y) * (c[0] - x)) / area
    wb = ((c[0] - x) * (a[1] - y) - (c[1] - y) * (a[0] - x)) / area
    weights = wp.vec3(wa / a[2], wb / b[2], (1.0 - wa - wb) / c[2])
    return weights / (weights[0] + weights[1] + weights[2])


@wp.func
def mixed(values: wp.array(dtype=wp.vec3), i: int, j: int, k: int, weights: wp.vec3) -> wp.vec3:
    """Returns the weighted sum of three vertices' vectors."""
    return values[i] * weights[0] + values[j] * weights[1] + values[k] * weights[2]


@wp.func
def hit_mesh(triangle: int, x: float, y: float, turn: float, mesh: Mesh, view: View, light: Light) -> Hit:
    """Returns what the sample at (x, y) sees of a triangle."""
    w = weights_at(triangle, x, y, mesh)
    i = mesh.triangles[triangle, 0]
    j = mesh.triangles[triangle, 1]
    k = mesh.triangles[triangle, 2]
    hit = Hit()
    hit.part = mesh.parts[triangle]
    hit.turn = turn
    hit.point = mixed(mesh.points, i, j, k, w)
    hit.rest = mixed(mesh.rest, i, j, k, w)
    hit.towards_camera = towards_camera(hit.point, view)
    normal = wp.normalize(mixed(mesh.normals, i, j, k, w))
    away = wp.dot(normal, hit.towards_camera)
    if away < 0.0:  # interpolated normals may turn away at the silhouette
        normal = wp.normalize(normal - hit.towards_camera * (1.02 * away))
    hit.normal = normal
    hit.inside = wp.smoothstep(0.1, 0.5, -away)
    hit.smooth_normal = wp.normalize(mixed(mesh.smooth_normals, i, j, k, w))
    hit.cavity = mesh.cavity[i] * w[0] + mesh.cavity[j] * w[1] + mesh.cavity[k] * w[2]
    ambient = wp.vec3(0.0, 0.0, 0.0)
    for term in range(9):
        transfer = mesh.transfer[i, term] * w[0] + mesh.transfer[j, term] * w[1] + mesh.transfer[k, term] * w[2]
        ambient = ambient + light.environment_head[term] * transfer
    hit.ambient = positive(ambient)
    return hit
