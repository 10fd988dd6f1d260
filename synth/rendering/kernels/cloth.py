"""Clothes: the lower neck and shoulders below a neckline, woven and coloured."""

import warp as wp

from synth.rendering.kernels.lights import INVERSE_PI, Light, lambert
from synth.rendering.kernels.noise import fractal_noise, value_noise
from synth.rendering.kernels.shadow import ShadowMap, lit
from synth.rendering.kernels.surface import Hit

STRIPES = wp.constant(1)
MOTTLED = wp.constant(2)
COLLAR = wp.constant(3)


@wp.struct
class Clothes:
    """Albedo (linear RGB), pattern, and the neckline: its height (dm) and how far it dips in front."""

    colour: wp.vec3
    second_colour: wp.vec3
    pattern: int
    neckline: float
    dip: float
    seed: int


@wp.func
def below_neckline(rest: wp.vec3, clothes: Clothes) -> float:
    """Returns how far a point of the unposed skin lies below the neckline, dm; negative above it."""
    front = wp.max(rest[2] - 0.6, 0.0)
    return clothes.neckline + clothes.dip * (0.6 * wp.abs(rest[0]) - 0.5 * front) - rest[1]


@wp.func
def shade_cloth(hit: Hit, below: float, clothes: Clothes, light: Light, shadows: ShadowMap) -> wp.vec3:
    """Returns the radiance of cloth towards the camera."""
    p = hit.rest
    colour = clothes.colour
    if clothes.pattern == STRIPES and wp.sin(p[1] * 14.0) > 0.0:
        colour = clothes.second_colour
    if clothes.pattern == MOTTLED:
        share = wp.smoothstep(-0.1, 0.1, fractal_noise(p * 4.0, clothes.seed, 3))
        colour = wp.lerp(colour, clothes.second_colour, share)
    if clothes.pattern == COLLAR and below < 0.16:
        colour = clothes.second_colour
    weave = 0.5 + 0.5 * wp.sin(p[0] * 160.0) * wp.sin(p[1] * 160.0)
    colour = colour * (0.85 + 0.15 * weave + 0.25 * fractal_noise(p * 3.0, clothes.seed + 9, 3))
    colour = colour * (0.55 + 0.45 * wp.smoothstep(0.0, 0.05, below))  # the hem's own shade
    folds = wp.vec3(value_noise(p * 6.0, clothes.seed + 1), value_noise(p * 6.0, clothes.seed + 2), 0.0)
    normal = wp.normalize(hit.normal + folds * 0.15)
    near = lit(hit.point, 0.05, shadows.softness, hit.turn, shadows)
    matte = hit.ambient * INVERSE_PI + light.key_colour * (lambert(normal, light.key_direction) * near)
    return wp.cw_mul(colour, matte + light.fill_colour * lambert(normal, light.fill_direction))
