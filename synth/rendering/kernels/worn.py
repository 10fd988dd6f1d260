"""Glasses, hats and masks: knitted, woven or glossy materials on the meshes of what is worn."""

import warp as wp

from synth.rendering.kernels.lights import INVERSE_PI, Light, gloss, grazing, irradiance, lambert, mirror, reflection
from synth.rendering.kernels.noise import fractal_noise
from synth.rendering.kernels.shadow import ShadowMap, lit
from synth.rendering.kernels.surface import Hit

FIRST_WORN_PART = wp.constant(6)
KNIT = wp.constant(1.0)
WOVEN = wp.constant(2.0)


@wp.struct
class Worn:
    """Materials of the worn parts, from part 6 on: albedo (linear RGB) and roughness; weave kind and noise seed."""

    materials: wp.array(dtype=wp.vec4)
    weaves: wp.array(dtype=float)
    seed: int


@wp.func
def shade_worn(hit: Hit, worn: Worn, light: Light, shadows: ShadowMap) -> wp.vec3:
    """Returns the radiance of a worn thing towards the camera."""
    material = worn.materials[hit.part - FIRST_WORN_PART]
    weave = worn.weaves[hit.part - FIRST_WORN_PART]
    colour = wp.vec3(material[0], material[1], material[2])
    if weave > 0.5:
        texture = 0.85 + 0.3 * fractal_noise(hit.rest * 8.0, worn.seed, 3)
        if weave == KNIT:
            texture = texture + 0.14 * wp.sin(wp.atan2(hit.rest[0], hit.rest[2] - 0.5) * 110.0)
        if weave == WOVEN:
            texture = texture - 0.10 * wp.smoothstep(0.6, 1.0, wp.sin(hit.rest[1] * 42.0))  # pleats
        colour = colour * texture
    near = lit(hit.point, 0.04, shadows.softness, hit.turn, shadows)
    matte = irradiance(hit.normal, light) * (0.8 * INVERSE_PI)
    matte = matte + light.key_colour * (lambert(hit.normal, light.key_direction) * near)
    matte = matte + light.fill_colour * lambert(hit.normal, light.fill_direction)
    radiance = wp.cw_mul(colour, matte)
    roughness = material[3]
    if roughness < 0.6:
        view = hit.towards_camera
        shine = gloss(hit.normal, view, light.key_direction, roughness, 0.05) * near
        mirrored = 0.06 + 0.4 * grazing(view, hit.normal)
        radiance = radiance + light.key_colour * shine
        radiance = radiance + reflection(mirror(view, hit.normal), roughness, light) * mirrored
    return radiance
