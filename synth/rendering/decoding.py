"""From an identity vector to the attributes of a person.

Every number is a continuous function of the vector; only what a person cannot be half of (sex presentation, beard
kind, hair style) has thresholds. Marginals follow the priors named here and in `prior.py`; they were set by eye and by
how a recogniser separates the renders, not measured on a population.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synth.rendering.attributes import (
    Attributes,
    BeardKind,
    BeardTraits,
    BrowTraits,
    EyeTraits,
    HairlineTraits,
    HairStyleName,
    HairTraits,
    LipTraits,
    SkinTraits,
    age_fraction,
)
from synth.rendering.coordinates import bounded, read_coordinates, uniform
from synth.rendering.prior import DEFAULT_PRIOR, IdentityPrior

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

MELANIN = np.array([0.68, 0.27, 0.15])  # mean of african, asian, caucasian shapes

HAIR_COLOURS = ((12, 9, 8), (28, 20, 16), (52, 34, 22), (88, 58, 34), (140, 98, 54), (190, 150, 92))  # sRGB
HAIR_RED = (120, 52, 24)
HAIR_SHARES_DARK = np.array([0.52, 0.31, 0.10, 0.04, 0.02, 0.01])
HAIR_SHARES_LIGHT = np.array([0.09, 0.18, 0.29, 0.23, 0.13, 0.08])
GREY_HAIR = np.array([0.30, 0.29, 0.28])  # linear RGB

IRIS_COLOURS = ((44, 26, 16), (70, 42, 24), (98, 66, 36), (104, 96, 54), (86, 112, 98), (96, 128, 156), (120, 140, 150))
IRIS_SHARES_DARK = np.array([0.60, 0.28, 0.10, 0.01, 0.005, 0.003, 0.002])
IRIS_SHARES_LIGHT = np.array([0.10, 0.18, 0.20, 0.15, 0.12, 0.15, 0.10])

BEARD_KINDS: tuple[BeardKind, ...] = ("clean", "stubble", "moustache", "goatee", "full")
BEARD_LIMITS = np.array([0.38, 0.63, 0.74, 0.85])  # of the uniform coordinate

STYLES_MALE: tuple[HairStyleName, ...] = ("buzz", "short", "side", "back", "curly", "bald")
STYLES_FEMALE: tuple[HairStyleName, ...] = ("long", "longside", "bob", "tied", "curlylong", "short")
STYLES_MALE_AFRICAN: tuple[HairStyleName, ...] = ("buzz", "afro", "buzz", "afro", "curly", "bald")
STYLES_FEMALE_AFRICAN: tuple[HairStyleName, ...] = ("afro", "curlylong", "tied", "longside", "curlylong", "buzz")
BALD_FROM_YEARS = 36.0


def decode_attributes(vector: Float32, prior: IdentityPrior = DEFAULT_PRIOR) -> Attributes:
    """Returns the person a vector stands for.

    Args:
        vector: float32 (512,); only its direction counts.
        prior: strengths.

    Raises:
        ValueError: the vector has another shape, is zero or not finite.
    """
    z = read_coordinates(vector)
    person, u = z["person"], uniform(z["person"])
    age_years = prior.youngest + (prior.oldest - prior.youngest) * float(u[1]) ** prior.age_exponent
    age = age_fraction(age_years)
    male = float(1.0 / (1.0 + np.exp(-prior.sex_sharpness * (u[0] - 0.5))))
    ancestry = _softmax(prior.ancestry_temperature * person[2:5])
    hair = _hair(z["hair"], z["colouring"], ancestry, male, age_years, age)
    return Attributes(
        age_years=age_years,
        male=male,
        african=float(ancestry[0]),
        asian=float(ancestry[1]),
        caucasian=float(ancestry[2]),
        muscle=float(u[5]),
        weight=float(np.clip(0.5 + prior.weight_spread * person[6], 0.0, 1.0)),
        shape=bounded(z["shape"]),
        asymmetry=z["asymmetry"],
        fields=bounded(z["fields"]),
        skin=_skin(z, ancestry, male, age, prior),
        lips=_lips(z["lips"], male, prior),
        eyes=_eyes(z["eyes"], z["colouring"], ancestry),
        brows=_brows(z["brows"], male, prior),
        beard=_beard(z["beard"], male),
        hairline=_hairline(z["hairline"], male, age),
        hair=hair,
        teeth=np.array([0.80, 0.74, 0.62]) * (1.0 - 0.2 * uniform(z["teeth"])[0]),
    )


def linear(srgb: tuple[float, float, float] | Float64) -> Float64:
    """Returns linear RGB 0..1 of an sRGB colour 0..255, float64 (3,)."""
    value = np.asarray(srgb, dtype=np.float64) / 255.0
    return np.where(value <= 0.04045, value / 12.92, ((np.maximum(value, 0.0) + 0.055) / 1.055) ** 2.4)


def _skin(z: dict[str, Float64], ancestry: Float64, male: float, age: float, prior: IdentityPrior) -> SkinTraits:
    q, u = z["skin"], uniform(z["skin"])
    wrinkles = z["wrinkles"]
    light = float(ancestry[2])
    uneven = prior.blotch_strength
    ageing = prior.wrinkle_strength * np.clip((age - 0.22) * 1.3 + 0.12 * wrinkles[0], 0.0, 1.1)
    return SkinTraits(
        melanin=float(np.clip(ancestry @ MELANIN + prior.melanin_spread * q[0], 0.05, 0.95)),
        haemoglobin=float(np.clip(0.27 + prior.redness_spread * q[1], 0.08, 0.75)),
        roughness=float(0.53 + 0.05 * q[2]),
        oil=float(u[3]),
        blotch=float(uneven * (0.4 + 0.9 * u[4])),
        blotch_weights=z["blotches"],
        under_eye=float(uneven * (0.15 + 0.85 * u[5])),
        flush=float(uneven * (0.3 + 0.9 * u[6])),
        freckles=float(uneven * np.maximum(0.0, q[7] - 0.5) * 0.9 * (0.2 + 0.8 * light)),
        freckle_weights=z["freckles"],
        mole_direction=z["moles"],
        wrinkles=float(ageing),
        nasolabial=float(np.clip(0.8 * ageing + 0.10 + 0.12 * wrinkles[1], 0.0, 1.2)),
        wrinkle_weights=wrinkles[2:],
    )


def _lips(q: Float64, male: float, prior: IdentityPrior) -> LipTraits:
    u = uniform(q)
    makeup = float(u[3] * _ramp(0.5 - male, 0.0, 0.3))
    colour = np.array([150.0, 72.0, 74.0]) + prior.lip_colour_spread * np.array([20.0, 12.0, 14.0]) * q[:3]
    return LipTraits(
        colour=linear(np.clip(colour, 20.0, 235.0)),
        coverage=float(np.clip(0.12 + 0.12 * u[4] + 0.55 * makeup * _ramp(float(u[5]), 0.3, 0.5), 0.0, 0.85)),
        eye_shadow=float(0.8 * makeup * _ramp(float(u[6]), 0.4, 0.65)),
        eye_shadow_colour=np.clip(np.array([0.55, 0.42, 0.42]) * (1.0 + 0.2 * q[7:10]), 0.1, 1.0),
        lash_length=0.85 + 0.3 * float(u[4]) + 0.35 * makeup,
    )


def _eyes(q: Float64, colouring: Float64, ancestry: Float64) -> EyeTraits:
    shares = IRIS_SHARES_LIGHT * ancestry[2] + IRIS_SHARES_DARK * (1.0 - ancestry[2])
    place = 0.75 * colouring[2] + np.sqrt(1.0 - 0.75**2) * colouring[0]  # light eyes go with light hair
    level = float(uniform(place))
    return EyeTraits(
        iris=1.25 * _mix_palette(IRIS_COLOURS, shares, level),
        iris_inner=1.6 * _mix_palette(IRIS_COLOURS, shares, max(level - 0.15, 0.0)),
        iris_radius=float(np.clip(0.385 + 0.014 * q[0], 0.35, 0.42)),  # 11.7 mm across, on large eyeballs
        pattern=2.5 * q[1:4],
    )


def _brows(q: Float64, male: float, prior: IdentityPrior) -> BrowTraits:
    q = np.clip(prior.brow_spread * q, -2.6, 2.6)
    u = uniform(q)
    return BrowTraits(
        height=float(0.028 * q[0] - 0.015 * male),
        arch=float(np.clip(0.032 + 0.022 * q[1], -0.01, 0.08)),
        tilt=float(0.020 + 0.028 * q[2]),
        drop=float(np.clip(0.035 + 0.021 * q[3], 0.0, 0.09)),
        thickness=float((0.027 + 0.010 * male) * np.exp(0.34 * q[4])),
        inner=float(np.clip(0.125 + 0.028 * q[5], 0.05, 0.19)),
        outer=float(np.clip(0.490 + 0.032 * q[6], 0.41, 0.57)),
        taper=float(np.clip(0.68 + 0.13 * q[7], 0.3, 0.9)),
        density=float(0.30 + 0.70 * u[8]),
        length=float(0.075 * np.exp(0.2 * q[9])),
        darkness=float(0.62 * np.exp(0.30 * q[10])),
        bridge=float(_ramp(float(q[11]), 1.2, 2.6) * (0.3 + 0.7 * male)),
    )


def _beard(q: Float64, male: float) -> BeardTraits:
    u = uniform(q)
    kind = BEARD_KINDS[int(np.searchsorted(BEARD_LIMITS, u[0]))] if male > 0.5 else "clean"
    base = {"clean": 0.0, "stubble": 0.03, "moustache": 0.11, "goatee": 0.15, "full": 0.08}[kind]
    growth = {"clean": 0.0, "stubble": 0.02, "moustache": 0.05, "goatee": 0.12, "full": 0.30}[kind]
    return BeardTraits(
        kind=kind,
        shadow=float((0.15 + 0.6 * u[1]) * _ramp(male, 0.45, 0.7)),
        length=base + growth * float(u[2]) ** 2,
        fullness=float(0.55 + 0.45 * u[3]),
        cheek_line=float(0.06 * q[4]),
        curl=float(0.004 + 0.02 * u[5]),
    )


def _hairline(q: Float64, male: float, age: float) -> HairlineTraits:
    loss = max(0.0, age * 0.28 + 0.10 * float(q[0]) - 0.06) * _ramp(male, 0.4, 0.6)
    return HairlineTraits(
        front=float(0.06 * q[1] + 0.5 * loss * _ramp(age, 0.3, 0.45)),
        side=float(0.12 * max(0.0, q[2]) * _ramp(male, 0.4, 0.6)),
        nape=float(0.06 * q[3]),
        recession=max(0.0, 0.05 * float(q[4]) + 0.9 * loss),
    )


def _hair(q: Float64, colouring: Float64, ancestry: Float64, male: float, age_years: float, age: float) -> HairTraits:
    u = uniform(q)
    shares = HAIR_SHARES_LIGHT * ancestry[2] + HAIR_SHARES_DARK * (1.0 - ancestry[2])
    colour = _mix_palette(HAIR_COLOURS, shares, float(uniform(colouring[2])))
    red = _ramp(float(uniform(colouring[3])), 0.90, 0.97) * float(ancestry[2])
    colour = (colour * (1.0 - red) + linear(HAIR_RED) * red) * np.exp(0.15 * colouring[4])
    greying = (age - 0.55) * 1.9 + 0.22 * float(colouring[5])
    return HairTraits(
        style=_style(float(u[0]), ancestry, male, age_years),
        colour=colour,
        grey=float(np.clip(greying, 0.0, 1.0)) * _ramp(age, 0.38, 0.50),
        length=float(u[1]),
        volume=float(u[2]),
        lift=float(u[3]),
        wave=float(u[4]),
        wave_rate=float(u[5]),
        fringe=float(u[6]),
        sides=float(u[7]),
        parting=float(0.30 * np.tanh(1.5 * q[8])),
        sweep=float(np.clip(q[9], -2.0, 2.0)),
    )


def _style(level: float, ancestry: Float64, male: float, age_years: float) -> HairStyleName:
    """Returns the hair style at a uniform level of the sex's and ancestry's list."""
    african = ancestry[0] > 0.5
    if male > 0.5:
        styles = STYLES_MALE_AFRICAN if african else STYLES_MALE
    else:
        styles = STYLES_FEMALE_AFRICAN if african else STYLES_FEMALE
    style = styles[min(int(level * len(styles)), len(styles) - 1)]
    return "buzz" if style == "bald" and age_years < BALD_FROM_YEARS else style


def _mix_palette(palette: tuple[tuple[int, int, int], ...], shares: Float64, level: float) -> Float64:
    """Returns the colour at a uniform level, 0..1, of a palette whose colours have the given shares; no steps."""
    centres = np.cumsum(shares) - shares / 2
    colours = np.stack([linear(colour) for colour in palette])
    return np.array([np.interp(level, centres, colours[:, channel]) for channel in range(3)])


def _softmax(values: Float64) -> Float64:
    powers = np.exp(values - values.max())
    return np.asarray(powers / powers.sum())


def _ramp(value: float, low: float, high: float) -> float:
    """Returns 0 below low, 1 above high, straight in between."""
    return float(np.clip((value - low) / (high - low), 0.0, 1.0))
