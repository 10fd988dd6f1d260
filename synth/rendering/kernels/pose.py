"""Strands from the head frame of the neutral face to the posed world, and which of them are seen."""

import warp as wp

from synth.rendering.kernels import runtime  # noqa: F401  (sets Warp up before the first kernel)

FRINGE_SIDE = wp.constant(1.0)  # radians from the middle of the forehead


@wp.struct
class BodyPose:
    """Rotations of head and torso about the neck, and the shift that puts the head's centre at the origin."""

    head: wp.mat33
    torso: wp.mat33
    pivot: wp.vec3
    shift: wp.vec3


@wp.struct
class RestStrands:
    """Strands in the head frame; `roots` holds three vertices a strand, the first is -1 for scalp hair."""

    points: wp.array2d(dtype=wp.vec3)
    normals: wp.array2d(dtype=wp.vec3)
    roots: wp.array2d(dtype=wp.int32)
    root_weights: wp.array(dtype=wp.vec3)
    lifts: wp.array(dtype=float)
    kinds: wp.array(dtype=wp.int32)
    ranks: wp.array(dtype=float)


@wp.struct
class Cover:
    """What hides hair: a hat above and a mask between polar angles about `centre` (radians; 0 hides nothing).

    The hat's edge lies at `hat_front` over the forehead and `hat_drop` lower at the back.
    """

    centre: wp.vec3
    hat_front: float
    hat_drop: float
    mask_top: float
    mask_side: float


@wp.func
def pose_point(point: wp.vec3, follow: float, body: BodyPose) -> wp.vec3:
    """Returns a head-frame point in the world; `follow` is 1 on the head, 0 on the torso."""
    arm = point - body.pivot
    return (body.head * arm) * follow + (body.torso * arm) * (1.0 - follow) - body.shift


@wp.func
def is_covered(point: wp.vec3, is_scalp: bool, cover: Cover) -> bool:
    """Says whether a head-frame point of hair lies below the hat or the mask; a fringe is tucked under the hat."""
    if cover.hat_front <= 0.0 and cover.mask_top <= 0.0:
        return False
    arm = point - cover.centre
    polar = wp.acos(wp.clamp(arm[1] / (wp.length(arm) + 1.0e-6), -1.0, 1.0))
    azimuth = wp.atan2(arm[0], arm[2])
    if cover.hat_front > 0.0 and is_scalp and wp.abs(azimuth) < FRINGE_SIDE:
        return True
    if cover.hat_front > 0.0 and polar < cover.hat_front + cover.hat_drop * 0.5 * (1.0 - wp.cos(azimuth)):
        return True
    return cover.mask_top > 0.0 and polar > cover.mask_top and wp.abs(azimuth) < cover.mask_side


@wp.kernel
def pose_strands(
    rest: RestStrands,
    vertices: wp.array(dtype=wp.vec3),
    vertex_normals: wp.array(dtype=wp.vec3),
    densities: wp.array(dtype=float),
    cover: Cover,
    body: BodyPose,
    points: wp.array2d(dtype=wp.vec3),
    normals: wp.array2d(dtype=wp.vec3),
    drawn: wp.array(dtype=wp.int32),
):
    """Poses the strands, one thread each; hair beyond a kind's density (0..1, by kind) or below a cover is hidden.

    `drawn` becomes the first visible point plus 1, 0 for a hidden strand.
    """
    i = wp.tid()
    drawn[i] = 0
    if rest.ranks[i] >= densities[rest.kinds[i]]:
        return
    root = wp.vec3(0.0, 0.0, 0.0)
    root_normal = wp.vec3(0.0, 0.0, 0.0)
    is_attached = rest.roots[i, 0] >= 0
    if is_attached:
        w = rest.root_weights[i]
        a = rest.roots[i, 0]
        b = rest.roots[i, 1]
        c = rest.roots[i, 2]
        root_normal = wp.normalize(vertex_normals[a] * w[0] + vertex_normals[b] * w[1] + vertex_normals[c] * w[2])
        root = vertices[a] * w[0] + vertices[b] * w[1] + vertices[c] * w[2] + root_normal * rest.lifts[i]
    count = rest.points.shape[1]
    hidden = int(0)
    for k in range(count):
        point = root + rest.points[i, k]
        if is_covered(point, not is_attached, cover):
            hidden = k + 1
        follow = float(1.0)
        normal = root_normal
        if not is_attached:  # long hair lies on the shoulders
            follow = wp.smoothstep(-1.0, -0.2, point[1] - body.pivot[1])
            normal = rest.normals[i, k]
        points[i, k] = pose_point(point, follow, body)
        normals[i, k] = body.head * normal
    if hidden < count - 1:
        drawn[i] = hidden + 1
