"""Lights of a sample as the shading kernels take them: directions, colours, harmonics, shadow map frame."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import warp as wp

from synth.rendering.kernels.lights import Light
from synth.rendering.kernels.shadow import ShadowMap
from synth.rendering.nuisance import Lights

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

NUM_DIRECTIONS = 512
SHADOW_EXTENT_DM = 4.6  # head, hair and shoulders fit
FAR = 1.0e6  # dm, depth of an empty shadow map


def direction(azimuth: float, elevation: float) -> Float64:
    """Returns the unit vector, float64 (3,), of a direction in degrees: azimuth from +z to +x, elevation to +y."""
    a, e = np.radians([azimuth, elevation])
    return np.array([np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)])


def make_light(lights: Lights, head_rotation: Float64, device: str) -> Any:  # noqa: ANN401
    """Returns the kernels' `Light` of a sample.

    Args:
        lights: drawn lights.
        head_rotation: float64 (3, 3), head to world; the precomputed transfer lives in the head's frame.
        device: where the arrays go.
    """
    axes, sharpness, colours = environment(lights)
    light = Light()
    light.key_direction = wp.vec3(*direction(lights.key_azimuth, lights.key_elevation))
    light.key_colour = wp.vec3(*(np.pi * np.array(lights.key_colour)))
    light.fill_direction = wp.vec3(*direction(lights.fill_azimuth, lights.fill_elevation))
    light.fill_colour = wp.vec3(*(np.pi * np.array(lights.fill_colour)))
    light.environment = _vectors(harmonics(axes, sharpness, colours), device)
    light.environment_head = _vectors(harmonics(axes @ head_rotation, sharpness, colours), device)
    light.lobe_axes = wp.array(np.column_stack([axes, sharpness]).astype(np.float32), dtype=wp.vec4, device=device)
    light.lobe_colours = _vectors(colours, device)
    light.num_lobes = len(axes)
    return light


def environment(lights: Lights) -> tuple[Float64, Float64, Float64]:
    """Returns the environment's spherical Gaussians: axes (K, 3), sharpness (K,), colours (K, 3).

    The even part is a broad lobe from above, like a sky or ceiling, and a broader one from the camera's side.
    """
    ambient = np.array(lights.ambient)
    axes = np.vstack([[[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], lights.lobe_axes])
    sharpness = np.concatenate([[1.0, 0.3], lights.lobe_sharpness])
    colours = np.vstack([[ambient * 0.5, ambient * 0.6], lights.lobe_colours])
    return axes, sharpness, colours


def harmonics(axes: Float64, sharpness: Float64, colours: Float64) -> Float64:
    """Projects spherical Gaussians to nine real spherical harmonics by summing over a Fibonacci sphere.

    Returns:
        float64 (9, 3), RGB coefficients in the order (l, m) = 00, 1-1, 10, 11, 2-2, 2-1, 20, 21, 22.
    """
    directions, basis = _sphere()
    weights = np.exp(sharpness * (directions @ axes.T - 1.0))
    return np.asarray(basis.T @ (weights @ colours) * (4 * np.pi / NUM_DIRECTIONS), dtype=np.float64)


def shadow_map(lights: Lights, size: int, device: str) -> Any:  # noqa: ANN401
    """Returns an empty shadow map, `size` texels a side, that looks along the key light."""
    towards = direction(lights.key_azimuth, lights.key_elevation)
    right = np.cross([0.0, 1.0, 0.01], towards)
    right /= np.linalg.norm(right)
    shadows = ShadowMap()
    shadows.depth = wp.full(size * size, FAR, dtype=float, device=device)
    shadows.size = size
    shadows.texels_per_dm = size / SHADOW_EXTENT_DM
    shadows.right = wp.vec3(*right)
    shadows.up = wp.vec3(*np.cross(towards, right))
    shadows.towards_light = wp.vec3(*towards)
    shadows.softness = lights.key_softness * size / SHADOW_EXTENT_DM
    return shadows


@cache
def _sphere() -> tuple[Float64, Float64]:
    """Returns evenly spread directions (NUM_DIRECTIONS, 3) and the harmonics there (NUM_DIRECTIONS, 9)."""
    i = np.arange(NUM_DIRECTIONS) + 0.5
    z = 1 - 2 * i / NUM_DIRECTIONS
    radius, turn = np.sqrt(1 - z * z), np.pi * (1 + 5**0.5) * i
    x, y = radius * np.cos(turn), radius * np.sin(turn)
    basis = [
        np.full_like(x, 0.282095), 0.488603 * y, 0.488603 * z, 0.488603 * x, 1.092548 * x * y, 1.092548 * y * z,
        0.315392 * (3 * z * z - 1), 1.092548 * x * z, 0.546274 * (x * x - y * y),
    ]  # fmt: skip
    return np.column_stack([x, y, z]), np.column_stack(basis)


def _vectors(values: Float64, device: str) -> Any:  # noqa: ANN401
    return wp.array(np.ascontiguousarray(values, dtype=np.float32), dtype=wp.vec3, device=device)
