"""Skin: cylindrical textures, bumps, soft diffusion of light below the surface, two highlights."""

import warp as wp

from synth.rendering.kernels.lights import INVERSE_PI, Light, gloss, grazing, irradiance, mirror, reflection
from synth.rendering.kernels.shadow import ShadowMap, lit
from synth.rendering.kernels.surface import Hit

BUMP_STRENGTH = wp.constant(0.32)  # slope of one unit of height per texel of a 1024 x 640 texture


@wp.struct
class SkinTexture:
    """Albedo (linear RGB) and relief (height, roughness) on a cylinder around the unposed head.

    `low`, `high` and `axis_z` place the cylinder (dm), `relief_gain` scales the height.
    """

    albedo: wp.array(dtype=wp.vec3)
    relief: wp.array(dtype=wp.vec2)
    width: int
    height: int
    low: float
    high: float
    axis_z: float
    relief_gain: float
    head_rotation: wp.mat33


@wp.struct
class SkinTexel:
    """Albedo, roughness and the bump's shift of the normal, world frame."""

    albedo: wp.vec3
    roughness: float
    bump: wp.vec3


@wp.func
def look_up(rest: wp.vec3, texture: SkinTexture) -> SkinTexel:
    """Reads the textures at a point of the unposed head, bilinearly."""
    azimuth = wp.atan2(rest[0], rest[2] - texture.axis_z)
    height = wp.clamp((rest[1] - texture.low) / (texture.high - texture.low), 0.0, 0.9999)
    x = (azimuth / 6.2831853 + 0.5) * float(texture.width) - 0.5
    y = height * float(texture.height) - 0.5
    column = int(wp.floor(x))
    row = int(wp.floor(y))
    fx = x - float(column)
    fy = y - float(row)
    left = (column + texture.width) % texture.width
    right = (column + 1 + texture.width) % texture.width
    below = wp.clamp(row, 0, texture.height - 1) * texture.width
    above = wp.clamp(row + 1, 0, texture.height - 1) * texture.width
    r00 = texture.relief[below + left]
    r10 = texture.relief[below + right]
    r01 = texture.relief[above + left]
    r11 = texture.relief[above + right]
    texel = SkinTexel()
    low = wp.lerp(texture.albedo[below + left], texture.albedo[below + right], fx)
    texel.albedo = wp.lerp(low, wp.lerp(texture.albedo[above + left], texture.albedo[above + right], fx), fy)
    texel.roughness = wp.lerp(wp.lerp(r00[1], r10[1], fx), wp.lerp(r01[1], r11[1], fx), fy)
    along = wp.lerp(r10[0] - r00[0], r11[0] - r01[0], fy) * float(texture.width) / 1024.0
    up = wp.lerp(r01[0] - r00[0], r11[0] - r10[0], fx) * float(texture.height) / 640.0
    tangent = texture.head_rotation * wp.vec3(wp.cos(azimuth), 0.0, -wp.sin(azimuth))
    upwards = texture.head_rotation * wp.vec3(0.0, 1.0, 0.0)
    texel.bump = (tangent * along + upwards * up) * (BUMP_STRENGTH * texture.relief_gain)
    return texel


@wp.func
def wrapped(cosine: float, wrap: float) -> float:
    """Returns a cosine that reaches `wrap` behind the terminator, as light does inside skin."""
    return wp.max((cosine + wrap) / (1.0 + wrap), 0.0)


@wp.func
def diffuse_key(hit: Hit, bumped: wp.vec3, near: float, light: Light, shadows: ShadowMap) -> wp.vec3:
    """Returns the key light diffused below the surface; red travels furthest.

    Hybrid normals (Ma et al. 2007): each channel sees its own mixture of smoothed and detailed normal, and its own
    softness of the shadow's edge.
    """
    wide = lit(hit.point, 0.05, shadows.softness * 2.5 + 2.0, hit.turn + 1.0, shadows)
    key = light.key_direction
    red = wp.dot(wp.normalize(hit.smooth_normal * 0.75 + bumped * 0.25), key)
    green = wp.dot(wp.normalize(hit.smooth_normal * 0.4 + bumped * 0.6), key)
    blue = wp.dot(bumped, key)
    return (
        wp.vec3(
            light.key_colour[0] * wrapped(red, 0.18) * wp.lerp(near, wide, 0.7),
            light.key_colour[1] * wrapped(green, 0.06) * wp.lerp(near, wide, 0.3),
            light.key_colour[2] * wp.max(blue, 0.0) * near,
        )
        * INVERSE_PI
    )


@wp.func
def shade_skin(hit: Hit, texture: SkinTexture, light: Light, shadows: ShadowMap) -> wp.vec3:
    """Returns the radiance of skin towards the camera."""
    texel = look_up(hit.rest, texture)
    bumped = wp.normalize(hit.normal - texel.bump)
    view = hit.towards_camera
    near = lit(hit.point, 0.035, shadows.softness, hit.turn, shadows)
    open_sky = irradiance(hit.normal, light)
    bump_gain = wp.clamp((irradiance(bumped, light)[1] + 0.02) / (open_sky[1] + 0.02), 0.5, 1.6)

    diffuse = diffuse_key(hit, bumped, near, light, shadows)
    soft = wp.normalize(hit.smooth_normal + bumped)
    diffuse = diffuse + light.fill_colour * (wp.max(wp.dot(soft, light.fill_direction), 0.0) * INVERSE_PI * hit.cavity)
    diffuse = diffuse + hit.ambient * (INVERSE_PI * bump_gain)
    glow = wp.vec3(0.020, 0.007, 0.004)  # ambient light that entered elsewhere
    diffuse = diffuse + wp.cw_mul(open_sky, glow) * hit.cavity

    rough = texel.roughness
    key_gloss = 0.45 * gloss(bumped, view, light.key_direction, rough, 0.026)
    key_gloss = key_gloss + 0.09 * gloss(bumped, view, light.key_direction, rough * 0.6, 0.026)
    fill_gloss = 0.6 * gloss(bumped, view, light.fill_direction, rough, 0.028)
    visible_sky = wp.clamp(hit.ambient[1] / (open_sky[1] + 0.01), 0.0, 1.0)
    mirrored = 0.65 * (0.022 + 0.22 * grazing(view, hit.smooth_normal) * (1.0 - rough))
    mirrored = mirrored * hit.cavity * visible_sky * visible_sky
    shine = light.key_colour * (key_gloss * near) + light.fill_colour * (fill_gloss * hit.cavity)
    shine = shine + reflection(mirror(view, bumped), rough, light) * mirrored
    return wp.cw_mul(texel.albedo, diffuse) + shine
