"""Light of the scene on the device, and the two questions shading asks it: diffuse and glossy."""

import warp as wp

from synth.rendering.kernels import runtime  # noqa: F401  (sets Warp up before the first kernel)

INVERSE_PI = wp.constant(0.31830989)


@wp.struct
class Light:
    """Key and fill light, and the environment in two forms.

    `environment` and `environment_head`: 9 real spherical-harmonic coefficients of the incoming radiance, in the
    world's and in the head's frame. Lobes are the spherical Gaussians it was made of: axis and sharpness, colour.
    """

    key_direction: wp.vec3
    key_colour: wp.vec3
    fill_direction: wp.vec3
    fill_colour: wp.vec3
    environment: wp.array(dtype=wp.vec3)
    environment_head: wp.array(dtype=wp.vec3)
    lobe_axes: wp.array(dtype=wp.vec4)
    lobe_colours: wp.array(dtype=wp.vec3)
    num_lobes: int


@wp.func
def positive(colour: wp.vec3) -> wp.vec3:
    """Returns the colour without negative parts (ringing of low-order harmonics)."""
    return wp.vec3(wp.max(colour[0], 0.0), wp.max(colour[1], 0.0), wp.max(colour[2], 0.0))


@wp.func
def irradiance(normal: wp.vec3, light: Light) -> wp.vec3:
    """Returns the environment's unshadowed irradiance (Ramamoorthi and Hanrahan 2001: cosine lobe in 9 terms)."""
    x = normal[0]
    y = normal[1]
    z = normal[2]
    sh = light.environment
    total = sh[0] * (0.282095 * 3.141593)
    total = total + (sh[1] * y + sh[2] * z + sh[3] * x) * (0.488603 * 2.094395)
    total = total + (sh[4] * (x * y) + sh[5] * (y * z) + sh[7] * (x * z)) * (1.092548 * 0.785398)
    total = total + sh[6] * ((3.0 * z * z - 1.0) * 0.315392 * 0.785398)
    total = total + sh[8] * ((x * x - y * y) * 0.546274 * 0.785398)
    return positive(total)


@wp.func
def reflection(direction: wp.vec3, roughness: float, light: Light) -> wp.vec3:
    """Returns the environment seen in a glossy mirror: each Gaussian widened by the roughness."""
    alpha = roughness * roughness
    total = wp.vec3(0.0, 0.0, 0.0)
    for i in range(light.num_lobes):
        axis = light.lobe_axes[i]
        sharpness = axis[3]
        wider = sharpness / (1.0 + sharpness * alpha * alpha * 1.6)
        cosine = direction[0] * axis[0] + direction[1] * axis[1] + direction[2] * axis[2]
        total = total + light.lobe_colours[i] * (wider / sharpness * wp.exp(wider * (cosine - 1.0)))
    return total


@wp.func
def mirror(view: wp.vec3, normal: wp.vec3) -> wp.vec3:
    """Returns the view direction reflected at the normal, unit length."""
    return wp.normalize(normal * (2.0 * wp.dot(view, normal)) - view)


@wp.func
def grazing(view: wp.vec3, normal: wp.vec3) -> float:
    """Returns Schlick's Fresnel weight, 0 face on .. 1 grazing."""
    return wp.pow(1.0 - wp.clamp(wp.dot(view, normal), 0.0, 1.0), 5.0)


@wp.func
def gloss(normal: wp.vec3, view: wp.vec3, direction: wp.vec3, roughness: float, reflectance: float) -> float:
    """Returns the GGX highlight times the cosine (Walter et al. 2007; Schlick's shadowing and Fresnel terms)."""
    half = wp.normalize(view + direction)
    n_l = wp.max(wp.dot(normal, direction), 0.0)
    n_v = wp.max(wp.dot(normal, view), 0.05)
    n_h = wp.max(wp.dot(normal, half), 0.0)
    v_h = wp.max(wp.dot(view, half), 0.0)
    alpha = roughness * roughness
    spread = n_h * n_h * (alpha * alpha - 1.0) + 1.0
    distribution = alpha * alpha / (3.14159265 * spread * spread)
    fresnel = reflectance + (1.0 - reflectance) * wp.pow(1.0 - v_h, 5.0)
    k = alpha * 0.5
    return distribution * fresnel * n_l / ((n_l * (1.0 - k) + k) * (n_v * (1.0 - k) + k) * 4.0)


@wp.func
def lambert(normal: wp.vec3, direction: wp.vec3) -> float:
    """Returns the cosine of a matte surface, divided by pi."""
    return wp.max(wp.dot(normal, direction), 0.0) * INVERSE_PI
