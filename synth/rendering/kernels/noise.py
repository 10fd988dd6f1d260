"""Hashes and noise in three dimensions as Warp functions: the source of all detail that no mesh carries.

All functions are pure: the same point and seed give the same value on every device.
"""

from __future__ import annotations

import warp as wp

from synth.rendering.kernels import runtime  # noqa: F401  (sets Warp up before the first kernel)

TO_UNIT = wp.constant(2.3283064e-10)  # 2**-32


@wp.func
def hash_unit(x: int, y: int, z: int, seed: int) -> float:
    """Returns a number in 0..1 that looks random: multiply-xorshift rounds over four integers."""
    h = wp.uint32(x) * wp.uint32(374761393) + wp.uint32(y) * wp.uint32(668265263)
    h = h + wp.uint32(z) * wp.uint32(2147483647) + wp.uint32(seed) * wp.uint32(1274126177)
    h = (h ^ (h >> wp.uint32(13))) * wp.uint32(1274126177)
    h = (h ^ (h >> wp.uint32(16))) * wp.uint32(1103515245)
    h = h ^ (h >> wp.uint32(15))
    return float(h) * TO_UNIT


@wp.func
def fade(t: float) -> float:
    """Returns the cubic 3t^2 - 2t^3, which has no slope at 0 and 1."""
    return t * t * (3.0 - 2.0 * t)


@wp.func
def value_noise(p: wp.vec3, seed: int) -> float:
    """Returns smooth noise in -1..1 with one random value at each integer point."""
    ix = int(wp.floor(p[0]))
    iy = int(wp.floor(p[1]))
    iz = int(wp.floor(p[2]))
    fx = fade(p[0] - float(ix))
    fy = fade(p[1] - float(iy))
    fz = fade(p[2] - float(iz))
    near_low = wp.lerp(hash_unit(ix, iy, iz, seed), hash_unit(ix + 1, iy, iz, seed), fx)
    near_high = wp.lerp(hash_unit(ix, iy + 1, iz, seed), hash_unit(ix + 1, iy + 1, iz, seed), fx)
    far_low = wp.lerp(hash_unit(ix, iy, iz + 1, seed), hash_unit(ix + 1, iy, iz + 1, seed), fx)
    far_high = wp.lerp(hash_unit(ix, iy + 1, iz + 1, seed), hash_unit(ix + 1, iy + 1, iz + 1, seed), fx)
    return wp.lerp(wp.lerp(near_low, near_high, fy), wp.lerp(far_low, far_high, fy), fz) * 2.0 - 1.0


@wp.func
def fractal_noise(p: wp.vec3, seed: int, octaves: int) -> float:
    """Returns a sum of octaves of value noise, each twice as fine and half as strong; within -1..1."""
    total = float(0.0)
    weight = float(0.5)
    q = p
    for octave in range(octaves):
        total = total + weight * value_noise(q, seed + octave * 17)
        q = q * 2.03 + wp.vec3(1.7, 3.1, 2.3)
        weight = weight * 0.5
    return total


@wp.func
def spots(p: wp.vec3, seed: int, density: float) -> float:
    """Returns round spots, 0..1: one candidate per unit cell, which fades in as `density` (0..1) passes its rank."""
    ix = int(wp.floor(p[0]))
    iy = int(wp.floor(p[1]))
    iz = int(wp.floor(p[2]))
    strongest = float(0.0)
    for dx in range(-1, 2):
        for dy in range(-1, 2):
            for dz in range(-1, 2):
                x = ix + dx
                y = iy + dy
                z = iz + dz
                rank = hash_unit(x, y, z, seed)
                if rank < density:
                    presence = wp.min((density - rank) * 20.0, 1.0)
                    centre = wp.vec3(
                        float(x) + hash_unit(x, y, z, seed + 1),
                        float(y) + hash_unit(x, y, z, seed + 2),
                        float(z) + hash_unit(x, y, z, seed + 3),
                    )
                    radius = 0.18 + 0.3 * hash_unit(x, y, z, seed + 4)
                    inside = 1.0 - wp.smoothstep(0.5, 1.0, wp.length(p - centre) / radius)
                    strength = 0.4 + 0.6 * hash_unit(x, y, z, seed + 5)
                    strongest = wp.max(strongest, presence * inside * strength)
    return strongest
