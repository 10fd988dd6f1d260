"""Bakes the skin of a person: fixed noise fields over the rest head, mixed with weights that come from the vector.

`evaluate_fields` runs once per texture size; `bake_skin` then only mixes, so a person costs milliseconds and the
texture is a smooth function of its inputs.
"""

from __future__ import annotations

import warp as wp

from synth.rendering.kernels.noise import fractal_noise, spots, value_noise

LOW_FIELDS = 6  # columns 0..5: uneven colour, features of about 4 mm
MID_FIELDS = 4  # columns 6..9: about 1 mm
FINE = 10
MICRO = 11
FRECKLES = 12
CREASES = 13
FOREHEAD = 14  # three wrinkle patterns
CROW = 17  # three
LIP_FURROWS = 20
STUBBLE = 21
SCALP = 22
FIELD_COUNT = 23

REGION_NAMES = (
    "lips", "ears", "eye", "lid", "cheek", "nose", "forehead", "fold", "crow",
    "moustache", "chin", "beard_low", "beard_high",
)  # fmt: skip
LIPS, EARS, EYE, LID, CHEEK, NOSE, BROW, FOLD, CROW_FEET, MOUSTACHE, CHIN, BEARD_LOW, BEARD_HIGH = range(13)


@wp.struct
class Skin:
    """Numbers of one person; see attributes.SkinTraits."""

    melanin: float
    haemoglobin: float
    roughness: float
    oil: float
    blotch: float
    under_eye: float
    flush: float
    freckles: float
    wrinkles: float
    nasolabial: float
    lip_colour: wp.vec3
    lip_coverage: float
    eye_shadow: float
    eye_shadow_colour: wp.vec3
    beard_colour: wp.vec3
    beard_shaved: float
    beard_moustache: float
    beard_chin: float
    beard_whole: float
    cheek_line: float
    scalp_colour: wp.vec3
    scalp_coverage: float
    hairline_softness: float
    bottom: float
    row_height: float
    columns: int
    relief_scale: float


@wp.func
def ridge(noise: float, sharpness: float) -> float:
    """Returns thin crests, 0..1, where smooth noise passes 0."""
    return wp.pow(1.0 - wp.abs(noise), sharpness)


@wp.func
def skin_colour(melanin: float, haemoglobin: float) -> wp.vec3:
    """Returns linear RGB by absorption of two pigments over a white base.

    With 0.15 and 0.68 of melanin it passes by the light and the dark skin of the ColorChecker (McCamy et al. 1976).
    """
    return wp.vec3(
        0.80 * wp.exp(-2.10 * melanin - 0.12 * haemoglobin),
        0.555 * wp.exp(-2.53 * melanin - 0.62 * haemoglobin),
        0.40 * wp.exp(-2.62 * melanin - 0.52 * haemoglobin),
    )


@wp.kernel
def evaluate_fields(positions: wp.array(dtype=wp.vec3), fields: wp.array2d(dtype=float)):
    """Evaluates the fixed fields at rest positions (dm), one thread a texel."""
    i = wp.tid()
    p = positions[i]
    for k in range(LOW_FIELDS):
        fields[i, k] = fractal_noise(p * 2.5, 100 + 31 * k, 3)
    for k in range(MID_FIELDS):
        fields[i, LOW_FIELDS + k] = fractal_noise(p * 9.0, 400 + 31 * k, 2)
    fields[i, FINE] = fractal_noise(p * 40.0, 80, 3)
    fields[i, MICRO] = fractal_noise(p * 95.0, 90, 2)
    fields[i, FRECKLES] = spots(p * 22.0, 101, 0.35)
    fields[i, CREASES] = ridge(value_noise(p * 18.0, 520), 4.0)
    bend = 0.8 * fields[i, 0]
    for k in range(3):
        across = wp.vec3(p[0] * 1.5, p[1] * (9.0 + 2.0 * float(k)) + bend, p[2] * 1.5)
        fields[i, FOREHEAD + k] = ridge(value_noise(across, 500 + k), 6.0)
        fan = wp.vec3(p[0] * 4.0, p[1] * 12.0 + p[0] * (4.0 + 2.0 * float(k)), p[2] * 4.0)
        fields[i, CROW + k] = ridge(value_noise(fan, 510 + k), 6.0)
    fields[i, LIP_FURROWS] = ridge(value_noise(wp.vec3(p[0] * 38.0, p[1] * 5.0, p[2] * 6.0), 600), 4.0)
    fields[i, STUBBLE] = value_noise(p * 70.0, 700)
    fields[i, SCALP] = value_noise(p * 60.0, 720)


@wp.func
def mix_fields(
    fields: wp.array2d(dtype=float), i: int, first: int, count: int, weights: wp.array(dtype=float)
) -> float:
    """Returns the weighted sum of neighbouring columns; `weights` is indexed like the columns."""
    total = float(0.0)
    for k in range(count):
        total = total + weights[first + k] * fields[i, first + k]
    return total


@wp.kernel
def bake_skin(
    fields: wp.array2d(dtype=float),
    regions: wp.array2d(dtype=float),
    mole_index: wp.array(dtype=int),
    mole_shape: wp.array(dtype=float),
    mole_presence: wp.array(dtype=float),
    weights: wp.array(dtype=float),
    freckle_weights: wp.array(dtype=float),
    hairline: wp.array(dtype=float),
    skin: Skin,
    albedo: wp.array(dtype=wp.vec3),
    relief: wp.array(dtype=wp.vec2),
):
    """Writes albedo (linear RGB) and relief (height, roughness) of one person, one thread a texel."""
    i = wp.tid()
    lips = regions[i, LIPS]
    eye = regions[i, EYE]
    cheek = regions[i, CHEEK]
    nose = regions[i, NOSE]
    forehead = regions[i, BROW]
    fold = regions[i, FOLD]
    low = mix_fields(fields, i, 0, LOW_FIELDS, weights)
    mid = mix_fields(fields, i, LOW_FIELDS, MID_FIELDS, weights)
    fine = fields[i, FINE]

    melanin = skin.melanin * (1.0 + 0.18 * skin.blotch * low + 0.10 * mid) + 0.02 * mid
    haemoglobin = skin.haemoglobin * (1.0 + 0.5 * skin.blotch * mid + 0.35 * fine) + 0.10 * fine
    haemoglobin = haemoglobin + skin.flush * (0.35 * cheek * (0.6 + 0.8 * low) + 0.35 * nose) + 0.25 * regions[i, EARS]
    melanin = melanin + 0.22 * skin.under_eye * eye
    haemoglobin = haemoglobin + 0.14 * skin.under_eye * eye
    where_freckled = mix_fields(fields, i, 0, 4, freckle_weights)
    freckled = 0.3 + 0.7 * wp.clamp(cheek + nose + 0.25 * forehead, 0.0, 1.0)
    melanin = melanin + 0.28 * skin.freckles * fields[i, FRECKLES] * freckled * wp.smoothstep(-0.2, 0.3, where_freckled)
    colour = skin_colour(wp.max(melanin, 0.0), wp.max(haemoglobin, 0.0))

    wrinkle = forehead * mix_fields(fields, i, FOREHEAD, 3, weights)
    wrinkle = wrinkle + 0.8 * regions[i, CROW_FEET] * mix_fields(fields, i, CROW, 3, weights)
    wrinkle = 1.5 * skin.wrinkles * wrinkle
    height = -0.9 * wrinkle - 0.125 * skin.wrinkles * fields[i, CREASES] + 0.30 * fine + 0.34 * fields[i, MICRO]
    height = height - 2.0 * skin.nasolabial * fold
    colour = colour * (
        1.0 - 0.26 * wrinkle - 0.28 * skin.nasolabial * fold - 0.12 * skin.wrinkles * skin.under_eye * eye
    )

    mole = mole_shape[i] * mole_presence[mole_index[i]] * (1.0 - lips)
    colour = wp.lerp(colour, wp.cw_mul(colour, wp.vec3(0.38, 0.27, 0.24)), mole)

    furrow = fields[i, LIP_FURROWS]
    lip_colour = wp.lerp(wp.cw_mul(colour, wp.vec3(0.80, 0.58, 0.60)), skin.lip_colour, skin.lip_coverage)
    colour = wp.lerp(colour, lip_colour * (1.0 - 0.14 * furrow), lips * 0.9)
    height = height - 0.35 * lips * furrow
    shadow = wp.cw_mul(colour, skin.eye_shadow_colour)
    colour = wp.lerp(colour, shadow, 0.7 * skin.eye_shadow * wp.max(regions[i, LID], 0.5 * eye))

    moustache = regions[i, MOUSTACHE]
    whole = wp.lerp(regions[i, BEARD_LOW], regions[i, BEARD_HIGH], skin.cheek_line)
    beard = skin.beard_shaved * wp.max(moustache, whole) + skin.beard_moustache * moustache
    beard = wp.min(beard + skin.beard_chin * regions[i, CHIN] + skin.beard_whole * whole, 1.0)
    stubble = wp.clamp(beard * (0.65 + 0.5 * mid + 0.5 * fields[i, STUBBLE]), 0.0, 0.85) * (1.0 - lips)
    colour = wp.lerp(colour, wp.cw_mul(skin.beard_colour, wp.vec3(0.8, 0.85, 0.9)), 0.62 * stubble)

    y = skin.bottom + (float(i / skin.columns) + 0.5) * skin.row_height
    edge = hairline[i % skin.columns]
    scalp = wp.smoothstep(edge - skin.hairline_softness, edge + skin.hairline_softness, y) * (1.0 - regions[i, EARS])
    hair = wp.clamp(scalp * skin.scalp_coverage * (1.0 + 0.4 * fields[i, SCALP]), 0.0, 0.95)
    albedo[i] = wp.lerp(colour, skin.scalp_colour, hair)

    roughness = skin.roughness + 0.10 * fine + 0.05 * mid - 0.14 * lips + 0.25 * hair
    roughness = roughness - 0.12 * skin.oil * wp.clamp(forehead + nose, 0.0, 1.0)
    relief[i] = wp.vec2(height * skin.relief_scale, wp.clamp(roughness, 0.22, 0.9))
