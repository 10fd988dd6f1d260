"""Hair: strands posed with the head, and their two highlights along the fibre."""

import warp as wp

from synth.rendering.kernels.lights import INVERSE_PI, Light, irradiance, mirror, reflection
from synth.rendering.kernels.noise import hash_unit
from synth.rendering.kernels.raster import View
from synth.rendering.kernels.shadow import ShadowMap, lit_through_hair
from synth.rendering.kernels.surface import towards_camera

SCALP = wp.constant(0)  # positions in strands.KINDS
BEARD = wp.constant(3)


@wp.struct
class Hair:
    """All strands of a person: strand-major arrays; `points` and `normals` are posed, in the world frame.

    `gain` is the colour drift of scalp hair and beard; brows and lashes keep their colour.
    """

    points: wp.array2d(dtype=wp.vec3)
    normals: wp.array2d(dtype=wp.vec3)
    colours: wp.array(dtype=wp.vec3)
    occlusion: wp.array2d(dtype=float)
    kinds: wp.array(dtype=wp.int32)
    gain: wp.vec3


@wp.func
def fibre(tangent: wp.vec3, direction: wp.vec3) -> float:
    """Returns the sine of the angle between a fibre and a direction (Kajiya and Kay 1989)."""
    cosine = wp.dot(tangent, direction)
    return wp.sqrt(wp.max(1.0 - cosine * cosine, 0.0))


@wp.func
def shade_hair(
    strand: int, segment: int, turn: float, hair: Hair, view: View, light: Light, shadows: ShadowMap
) -> wp.vec3:
    """Returns the radiance of a strand towards the camera."""
    a = hair.points[strand, segment]
    b = hair.points[strand, segment + 1]
    point = (a + b) * 0.5
    tangent = wp.normalize(b - a + wp.vec3(1.0e-6, 0.0, 0.0))
    normal = wp.normalize(hair.normals[strand, segment])
    albedo = hair.colours[strand]
    if hair.kinds[strand] == SCALP or hair.kinds[strand] == BEARD:
        albedo = wp.cw_mul(albedo, hair.gain)
    occlusion = hair.occlusion[strand, segment]
    to_camera = towards_camera(point, view)

    key_half = wp.normalize(light.key_direction + to_camera)
    shifted = wp.normalize(tangent + normal * (0.10 * (hash_unit(strand, 1, 2, 3) * 1.2 - 0.2)))
    white = 0.045 * wp.pow(fibre(shifted, key_half), 90.0)
    tinted = 0.38 * wp.pow(fibre(wp.normalize(tangent - normal * 0.12), key_half), 22.0)
    key_share = lit_through_hair(point, turn, shadows) * wp.clamp(
        wp.dot(normal, light.key_direction) * 0.6 + 0.4, 0.0, 1.0
    )
    key = albedo * (0.48 * fibre(tangent, light.key_direction) + tinted) + wp.vec3(white, white, white)
    radiance = wp.cw_mul(light.key_colour * key_share, key)

    fill_half = wp.normalize(light.fill_direction + to_camera)
    fill_share = wp.clamp(wp.dot(normal, light.fill_direction) * 0.6 + 0.4, 0.0, 1.0) * occlusion
    fill = 0.4 * fibre(tangent, light.fill_direction) + 0.5 * wp.pow(fibre(tangent, fill_half), 25.0)
    radiance = radiance + wp.cw_mul(light.fill_colour * (fill_share * fill), albedo)

    ambient = wp.cw_mul(irradiance(normal, light) * (INVERSE_PI * occlusion), albedo)
    sheen = reflection(mirror(to_camera, normal), 0.72, light) * occlusion
    return radiance + ambient + sheen * 0.02 + wp.cw_mul(sheen, albedo) * 0.12
