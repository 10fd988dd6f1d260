"""Teeth, gums and tongue: darker the deeper they lie in the mouth."""

import warp as wp

from synth.rendering.kernels.lights import INVERSE_PI, Light, gloss, irradiance
from synth.rendering.kernels.shadow import ShadowMap, lit
from synth.rendering.kernels.surface import Hit

TONGUE_PART = wp.constant(5)
BITE_HEIGHT = wp.constant(6.63)  # dm, where the rows of teeth meet in the unposed head


@wp.func
def mouth_albedo(hit: Hit, teeth: wp.vec3) -> wp.vec3:
    """Returns the albedo of teeth with gaps and gums, or of the tongue."""
    if hit.part == TONGUE_PART:
        return wp.vec3(0.45, 0.16, 0.15)
    wave = wp.abs(wp.sin(wp.atan2(hit.rest[0], hit.rest[2] - 1.0) * 13.0))
    colour = teeth * (1.0 - 0.35 * wp.pow(wave, 24.0))
    gums = wp.smoothstep(0.07, 0.12, wp.abs(hit.rest[1] - BITE_HEIGHT))
    return wp.lerp(colour, wp.vec3(0.5, 0.2, 0.19), gums * 0.9)


@wp.func
def shade_mouth(hit: Hit, teeth: wp.vec3, light: Light, shadows: ShadowMap) -> wp.vec3:
    """Returns the radiance of the inside of the mouth towards the camera."""
    openness = wp.smoothstep(0.9, 1.45, hit.rest[2])
    near = lit(hit.point, 0.04, shadows.softness, hit.turn, shadows)
    key = wp.max(wp.dot(hit.normal, light.key_direction), 0.0) * near * 0.22 + 0.015
    matte = irradiance(hit.normal, light) * (INVERSE_PI * 0.45) + light.key_colour * key
    wet = gloss(hit.normal, hit.towards_camera, light.key_direction, 0.25, 0.03) * near * 0.4
    return (wp.cw_mul(mouth_albedo(hit, teeth), matte) + light.key_colour * wet) * openness
