"""Everything of an image that is not identity, drawn from the sample's seed alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synth.rendering.draws import Colour, Pair, choice, colour, draw_seed, log_uniform, pair, tinted, truncated
from synth.rendering.expressions import CENTRAL_UNITS, EXPRESSIONS, STRAY_UNITS
from synth.rendering.nuisance_ranges import NuisanceRanges

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """Turn of the head against the camera, degrees: yaw to the person's left, pitch up, roll to the left shoulder."""

    yaw: float
    pitch: float
    roll: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """Name, muscle units (name to activation, 1 = fully) and eye turn (left, up; degrees)."""

    name: str
    activations: Mapping[str, float]
    gaze: Pair


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraPlacement:
    """Camera distance in dm; size and place of the head (portrait); error of the alignment (aligned)."""

    distance: float
    fill: float
    shift: Pair
    alignment_shift_px: Pair
    alignment_scale: float
    alignment_roll: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Lights:
    """Key, fill and environment; angles in degrees from the camera's axis, colours linear RGB.

    The environment is an even `ambient` and a few spherical Gaussians: axes (K, 3), sharpness (K,), colours (K, 3).
    """

    key_azimuth: float
    key_elevation: float
    key_colour: Colour
    key_softness: float
    fill_azimuth: float
    fill_elevation: float
    fill_colour: Colour
    ambient: Colour
    lobe_axes: Float32
    lobe_sharpness: Float32
    lobe_colours: Float32


@dataclass(frozen=True, slots=True, kw_only=True)
class Wear:
    """What the person wears; `style` is a seed for the shape and colour of the things worn."""

    glasses: bool
    sunglasses: bool
    hat: bool
    mask: bool
    occluder: bool
    style: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """What changes between photos of a person: hair colour gain (3,), densities 0..1, age in years."""

    hair_gain: Colour
    hair_density: float
    beard_density: float
    age_years: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """What camera and file do to the picture; lengths as a share of the image's side."""

    exposure: float
    contrast: float
    white_balance: Colour
    saturation: float
    blur: float
    motion_length: float
    motion_angle: float
    noise: float
    low_resolution: float
    jpeg_quality: int
    noise_seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Nuisance:
    """One sample's nuisances; `background` and `backdrop` are the kind and the seed of what is behind."""

    pose: Pose
    expression: Expression
    framing: CameraPlacement
    lights: Lights
    wear: Wear
    drift: Drift
    sensor: Sensor
    background: str
    backdrop: int


def draw(seed: int, ranges: NuisanceRanges) -> Nuisance:
    """Draws a sample's nuisances.

    Every group has its own random stream, so that changing one range leaves the other groups as they were.

    Args:
        seed: the sample's, 0 .. 2**64 - 1.
        ranges: how much of what.

    Returns:
        The same for the same arguments, in every process.
    """
    pose, expression, framing, lights, wear, drift, sensor, behind = (stream(seed, group) for group in range(8))
    return Nuisance(
        pose=_pose(pose, ranges),
        expression=_expression(expression, ranges),
        framing=_framing(framing, ranges),
        lights=_lights(lights, ranges),
        wear=_wear(wear, ranges),
        drift=_drift(drift, ranges),
        sensor=_sensor(sensor, ranges),
        background=choice(behind, ranges.backgrounds),
        backdrop=draw_seed(behind),
    )


def stream(seed: int, group: int) -> np.random.Generator:
    """Returns the random stream of a group of draws: counter-based Philox keyed by both numbers."""
    return np.random.Generator(np.random.Philox(key=int(seed) | (group << 64)))


def _pose(rng: np.random.Generator, ranges: NuisanceRanges) -> Pose:
    return Pose(
        yaw=truncated(rng, ranges.yaw_sd_degrees, ranges.yaw_limit_degrees),
        pitch=truncated(rng, ranges.pitch_sd_degrees, ranges.pitch_limit_degrees),
        roll=truncated(rng, ranges.roll_sd_degrees, ranges.roll_limit_degrees),
    )


def _expression(rng: np.random.Generator, ranges: NuisanceRanges) -> Expression:
    name = choice(rng, ranges.expressions)
    activations: dict[str, float] = {}
    for unit, strength in EXPRESSIONS[name].items():
        value = strength * rng.uniform(*ranges.expression_strength)
        for half in (unit,) if unit in CENTRAL_UNITS else (f"{unit}Left", f"{unit}Right"):
            activations[half] = value
    for unit in rng.choice(STRAY_UNITS, ranges.stray_units, replace=False):
        activations[str(unit)] = activations.get(str(unit), 0.0) + abs(rng.normal(0, ranges.stray_unit_sd))
    left, up = rng.normal(0, 1, 2) * ranges.gaze_sd_degrees
    look = "eyeLookDown" if up < 0 else "eyeLookUp"
    for half in ("Left", "Right"):  # lids follow the eyes
        activations[f"{look}{half}"] = min(1.0, abs(np.radians(up)) * 1.6)
    return Expression(name=name, activations=activations, gaze=(float(left), float(up)))


def _framing(rng: np.random.Generator, ranges: NuisanceRanges) -> CameraPlacement:
    return CameraPlacement(
        distance=log_uniform(rng, ranges.distance_dm),
        fill=float(rng.uniform(*ranges.portrait_fill)),
        shift=pair(rng.normal(0, 1, 2) * ranges.portrait_shift_sd),
        alignment_shift_px=pair(rng.normal(0, 1, 2) * ranges.alignment_shift_sd_px),
        alignment_scale=float(np.exp(rng.normal(0, 1) * ranges.alignment_scale_sd)),
        alignment_roll=float(rng.normal(0, 1) * ranges.alignment_roll_sd_degrees),
    )


def _lights(rng: np.random.Generator, ranges: NuisanceRanges) -> Lights:
    azimuth = float(rng.normal(0, 1) * ranges.key_azimuth_sd_degrees)
    num_lobes = int(rng.integers(ranges.environment_lobes[0], ranges.environment_lobes[1] + 1))
    axes = rng.standard_normal((num_lobes, 3))
    from_above = rng.random(num_lobes) < 0.75
    axes[:, 1] = np.where(from_above, np.abs(axes[:, 1]), axes[:, 1])
    strength = np.exp(rng.uniform(-1.0, 1.6, (num_lobes, 1)))
    return Lights(
        key_azimuth=azimuth,
        key_elevation=float(rng.uniform(*ranges.key_elevation_degrees)),
        key_colour=tinted(rng, log_uniform(rng, ranges.key_intensity), ranges.tint_sd),
        key_softness=float(rng.uniform(*ranges.key_softness_dm)),
        fill_azimuth=-float(np.sign(azimuth)) * float(rng.uniform(23, 137)),
        fill_elevation=float(rng.uniform(-11, 46)),
        fill_colour=tinted(rng, log_uniform(rng, ranges.fill_intensity), ranges.tint_sd),
        ambient=colour(rng.uniform(*ranges.ambient_intensity) * np.exp(rng.normal(0, 0.06, 3))),
        lobe_axes=(axes / np.linalg.norm(axes, axis=1, keepdims=True)).astype(np.float32),
        lobe_sharpness=np.exp(rng.uniform(np.log(2), np.log(60), num_lobes)).astype(np.float32),
        lobe_colours=(strength * np.exp(rng.normal(0, 0.10, (num_lobes, 3)))).astype(np.float32),
    )


def _wear(rng: np.random.Generator, ranges: NuisanceRanges) -> Wear:
    glasses, dark, hat, mask, occluder = rng.random(5)
    has_glasses = bool(glasses < ranges.glasses_rate)
    return Wear(
        glasses=has_glasses,
        sunglasses=has_glasses and bool(dark < ranges.sunglasses_share),
        hat=bool(hat < ranges.hat_rate),
        mask=bool(mask < ranges.mask_rate),
        occluder=bool(occluder < ranges.occluder_rate),
        style=draw_seed(rng),
    )


def _drift(rng: np.random.Generator, ranges: NuisanceRanges) -> Drift:
    brightness, tint, age = rng.normal(0, 1, 3)
    gain = np.exp(brightness * ranges.hair_brightness_sd + tint * ranges.hair_tint_sd * np.array([1.0, 0.0, -1.0]))
    return Drift(
        hair_gain=colour(gain),
        hair_density=float(rng.uniform(*ranges.hair_density)),
        beard_density=float(rng.uniform(*ranges.beard_density)),
        age_years=float(np.clip(age, -2, 2) * ranges.age_drift_sd_years),
    )


def _sensor(rng: np.random.Generator, ranges: NuisanceRanges) -> Sensor:
    moves, is_small, is_grey = rng.random(3)
    small = float(rng.uniform(*ranges.low_resolution_factor))
    saturation = max(0.0, 1.0 + rng.normal(0, 1) * ranges.saturation_sd)
    return Sensor(
        exposure=float(np.exp(np.clip(rng.normal(0, 1), -2.5, 2.5) * ranges.exposure_sd)),
        contrast=float(np.exp(rng.normal(0, 1) * ranges.contrast_sd)),
        white_balance=colour(np.exp(rng.normal(0, 1, 3) * ranges.white_balance_sd)),
        saturation=0.0 if is_grey < ranges.monochrome_rate else saturation,
        blur=max(0.0, float(ranges.blur_mean + rng.normal(0, 1) * ranges.blur_sd)) / 1000,
        motion_length=float(rng.uniform(*ranges.motion_blur_length)) if moves < ranges.motion_blur_rate else 0.0,
        motion_angle=float(rng.uniform(0, np.pi)),
        noise=abs(float(rng.normal(0, 1) * ranges.noise_sd)),
        low_resolution=small if is_small < ranges.low_resolution_rate else 1.0,
        jpeg_quality=int(rng.integers(ranges.jpeg_quality[0], ranges.jpeg_quality[1] + 1)),
        noise_seed=draw_seed(rng),
    )  # fmt: skip
