"""Eyes: iris, pupil and sclera painted on the eyeball by angle from the gaze, below a glossy cornea."""

import warp as wp

from synth.rendering.kernels.lights import INVERSE_PI, Light, gloss, grazing, irradiance, lambert, mirror, reflection
from synth.rendering.kernels.noise import fractal_noise, value_noise
from synth.rendering.kernels.shadow import ShadowMap, lit
from synth.rendering.kernels.surface import Hit


@wp.struct
class EyePair:
    """Colours (linear RGB), sizes (angles from the eyeball's centre; pupil as a share of the iris) and gaze."""

    left_centre: wp.vec3
    right_centre: wp.vec3
    gaze_rotation: wp.mat33
    head_rotation: wp.mat33
    iris: wp.vec3
    iris_inner: wp.vec3
    iris_radius: float
    pupil: float
    pattern: wp.vec3


@wp.func
def iris_colour(direction: wp.vec3, reach: float, eyes: EyePair) -> wp.vec3:
    """Returns the albedo of iris and pupil; `reach` is 0 at the centre, 1 at the rim."""
    angle = wp.atan2(direction[1], direction[0])
    place = wp.vec3(wp.cos(angle) * 9.6, wp.sin(angle) * 9.6, reach * 1.3) + eyes.pattern
    fibres = 0.5 + 0.5 * fractal_noise(place, 41, 3)
    colour = wp.lerp(eyes.iris, eyes.iris_inner, wp.clamp(fibres * 1.3 + 0.1 - 0.5 * reach, 0.0, 1.0))
    colour = colour * (0.75 + 0.5 * fibres)
    colour = colour * (1.0 - 0.75 * wp.smoothstep(0.78, 1.0, reach))
    return colour * wp.smoothstep(eyes.pupil - 0.05, eyes.pupil + 0.07, reach)


@wp.func
def sclera_colour(direction: wp.vec3, angle: float, eyes: EyePair) -> wp.vec3:
    """Returns the albedo of the white: fine veins, redder towards the corners."""
    veins = wp.clamp(value_noise(direction * 30.0 + eyes.pattern, 47), 0.0, 1.0)
    pink = 1.0 - 0.22 * wp.smoothstep(0.6, 1.3, angle)
    return wp.vec3(0.50, 0.45 * pink, 0.42 * pink) * (1.0 - 0.10 * veins)


@wp.func
def shade_eye(hit: Hit, eyes: EyePair, light: Light, shadows: ShadowMap) -> wp.vec3:
    """Returns the radiance of an eyeball towards the camera."""
    centre = wp.where(hit.part == 1, eyes.left_centre, eyes.right_centre)
    normal = wp.normalize(hit.point - centre)
    direction = wp.normalize(wp.transpose(eyes.gaze_rotation) * (hit.point - centre))
    angle = wp.acos(wp.clamp(direction[2], -1.0, 1.0))
    reach = angle / eyes.iris_radius
    albedo = sclera_colour(direction, angle, eyes)
    if reach < 1.07:
        albedo = wp.lerp(iris_colour(direction, reach, eyes), albedo, wp.smoothstep(0.93, 1.07, reach))
    height = wp.dot(normal, eyes.head_rotation * wp.vec3(0.0, 1.0, 0.0))
    below_lids = 0.70 * wp.smoothstep(0.0, 0.28, height) + 0.30 * wp.smoothstep(0.10, 0.30, -height)
    albedo = albedo * (1.0 - below_lids)

    near = lit(hit.point, 0.03, shadows.softness, hit.turn, shadows)
    ambient = wp.lerp(irradiance(normal, light), hit.ambient, 0.55) * (INVERSE_PI * 0.75)
    key = wp.max(wp.dot(normal, light.key_direction) * 0.8 + 0.2, 0.0) * near * 0.28
    matte = ambient + light.key_colour * key + light.fill_colour * (lambert(normal, light.fill_direction) * 0.63)

    bulge = 0.35 * (1.0 - wp.smoothstep(0.8, 1.1, reach))
    cornea = wp.normalize(normal + eyes.gaze_rotation * wp.vec3(direction[0], direction[1], 0.0) * bulge)
    view = hit.towards_camera
    wet = reflection(mirror(view, cornea), 0.2, light) * (
        0.7 * (0.025 + 0.5 * grazing(view, cornea)) * (1.0 - below_lids)
    )
    key_glint = wp.min(gloss(cornea, view, light.key_direction, 0.17, 0.03) * (0.2 + 0.8 * near), 0.35)
    fill_glint = wp.min(gloss(cornea, view, light.fill_direction, 0.2, 0.03), 0.2)
    return wp.cw_mul(albedo, matte) + wet + light.key_colour * key_glint + light.fill_colour * fill_glint
