"""How much of everything that is not identity the renderer varies: one documented field each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import ClassVar

Range = tuple[float, float]

EXPRESSION_RATES: Mapping[str, float] = {
    "neutral": 0.34,
    "smile": 0.18,
    "grin": 0.13,
    "open": 0.08,
    "surprise": 0.06,
    "frown": 0.09,
    "pucker": 0.04,
    "press": 0.06,
    "blink": 0.02,
}
BACKGROUND_RATES: Mapping[str, float] = {
    "gradient": 0.25,
    "shapes": 0.30,
    "lights": 0.15,
    "room": 0.20,
    "foliage": 0.10,
}


@dataclass(frozen=True, kw_only=True)
class NuisanceRanges:
    """Ranges and rates of the nuisances; every field can be set from a configuration file.

    A `..._sd` is the standard deviation of a normal draw, a `..._rate` the share of samples, a pair the
    limits of a uniform draw (of its logarithm where the text says log). The wide yaw and the
    changing accessories follow what helped in DigiFace-1M (Bae et al. 2023, ablations of pose and accessories).

    Attributes:
        yaw_sd_degrees: head turn; redrawn beyond `yaw_limit_degrees`.
        yaw_limit_degrees: largest turn either way.
        pitch_sd_degrees: nod; redrawn beyond `pitch_limit_degrees`.
        pitch_limit_degrees: largest nod either way.
        roll_sd_degrees: tilt; redrawn beyond `roll_limit_degrees`.
        roll_limit_degrees: largest tilt either way.
        expressions: weights of the expressions by name.
        expression_strength: factor on an expression's muscle units.
        stray_units: number of further muscle units moved a little.
        stray_unit_sd: how far they move, 1 = fully.
        gaze_sd_degrees: eye turn, horizontal and vertical.
        distance_dm: camera to head centre, log.
        portrait_fill: `portrait` framing, share of the image's height that a head of 2.35 dm takes.
        portrait_shift_sd: `portrait` framing, off-centre, share of the image's side.
        alignment_shift_sd_px: `aligned` framing, error of the alignment, px of the 112 px template.
        alignment_scale_sd: `aligned` framing, relative.
        alignment_roll_sd_degrees: `aligned` framing.
        key_azimuth_sd_degrees: key light, 0 = from the camera.
        key_elevation_degrees: key light, 0 = horizontal.
        key_intensity: key light, log.
        key_softness_dm: half width of its penumbra on the face.
        fill_intensity: unshadowed fill light from the other side, log.
        tint_sd: warm-cold spread of key and fill.
        ambient_intensity: even part of the environment.
        environment_lobes: least and most bright patches of the environment.
        exposure_sd: log of the exposure.
        contrast_sd: relative slope of the tone curve about middle grey.
        white_balance_sd: log of each channel's gain.
        saturation_sd: relative.
        monochrome_rate: black and white photos.
        glasses_rate: glasses of any kind.
        sunglasses_share: share of glasses that are dark.
        hat_rate: beanies and caps.
        mask_rate: face masks.
        occluder_rate: things between camera and face.
        hair_brightness_sd: log of the hair's albedo, scalp and beard alike.
        hair_tint_sd: log, red against blue.
        hair_density: share of scalp strands drawn.
        beard_density: share of beard strands drawn.
        age_drift_sd_years: ageing between samples.
        blur_mean: sigma of the focus blur, thousandths of the image's side; nothing is blurred below zero.
        blur_sd: its spread, thousandths of the image's side.
        motion_blur_rate: share of samples with a moving camera.
        motion_blur_length: share of the image's side.
        noise_sd: half-normal spread of the sensor noise, 1 = white.
        low_resolution_rate: share of samples shrunk and enlarged again.
        low_resolution_factor: shrunk to this share of the side.
        jpeg_quality: of one lossy round trip; at 92 and above there is none.
        backgrounds: weights of the backgrounds by kind.

    Raises:
        ValueError: a rate is no share, a pair is not ordered, a spread is negative or a name is unknown.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    yaw_sd_degrees: float = 22.8
    yaw_limit_degrees: float = 75.0
    pitch_sd_degrees: float = 8.0
    pitch_limit_degrees: float = 30.0
    roll_sd_degrees: float = 5.0
    roll_limit_degrees: float = 20.0
    expressions: Mapping[str, float] = field(default_factory=lambda: dict(EXPRESSION_RATES))
    expression_strength: Range = (0.5, 1.1)
    stray_units: int = 3
    stray_unit_sd: float = 0.15
    gaze_sd_degrees: Range = (10.0, 6.0)
    distance_dm: Range = (6.0, 24.0)
    portrait_fill: Range = (0.74, 0.95)
    portrait_shift_sd: float = 0.02
    alignment_shift_sd_px: float = 0.4
    alignment_scale_sd: float = 0.01
    alignment_roll_sd_degrees: float = 0.5
    key_azimuth_sd_degrees: float = 49.0
    key_elevation_degrees: Range = (-6.0, 63.0)
    key_intensity: Range = (0.15, 4.5)
    key_softness_dm: Range = (0.01, 0.09)
    fill_intensity: Range = (0.05, 1.2)
    tint_sd: float = 0.13
    ambient_intensity: Range = (0.25, 0.9)
    environment_lobes: tuple[int, int] = (2, 5)
    exposure_sd: float = 0.16
    contrast_sd: float = 0.08
    white_balance_sd: float = 0.05
    saturation_sd: float = 0.07
    monochrome_rate: float = 0.01
    glasses_rate: float = 0.12
    sunglasses_share: float = 0.28
    hat_rate: float = 0.07
    mask_rate: float = 0.05
    occluder_rate: float = 0.05
    hair_brightness_sd: float = 0.18
    hair_tint_sd: float = 0.06
    hair_density: Range = (0.75, 1.0)
    beard_density: Range = (0.4, 1.0)
    age_drift_sd_years: float = 3.0
    blur_mean: float = 1.4
    blur_sd: float = 1.4
    motion_blur_rate: float = 0.04
    motion_blur_length: Range = (0.01, 0.03)
    noise_sd: float = 0.012
    low_resolution_rate: float = 0.15
    low_resolution_factor: Range = (0.4, 0.7)
    jpeg_quality: tuple[int, int] = (45, 97)
    backgrounds: Mapping[str, float] = field(default_factory=lambda: dict(BACKGROUND_RATES))

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name.endswith(("_rate", "_share")):
                _require(0 <= value <= 1, item.name, value, "a share, 0 to 1")
            elif item.name == "gaze_sd_degrees":
                _require(min(value) >= 0, item.name, value, "two spreads of at least 0")
            elif isinstance(value, tuple):
                _require(value[0] <= value[1], item.name, value, "least before most")
            elif "_sd" in item.name or item.name.endswith("_limit_degrees"):
                _require(value >= 0, item.name, value, "at least 0")
        for name in ("distance_dm", "key_intensity", "fill_intensity", "low_resolution_factor", "portrait_fill"):
            _require(getattr(self, name)[0] > 0, name, getattr(self, name), "above 0")
        _require(
            self.distance_dm[0] >= 3, "distance_dm", self.distance_dm, "at least 3, the camera is outside the head"
        )
        _check_weights("expressions", self.expressions, EXPRESSION_RATES)
        _check_weights("backgrounds", self.backgrounds, BACKGROUND_RATES)


def _require(holds: bool, name: str, value: object, rule: str) -> None:
    if not holds:
        raise ValueError(f"nuisance.{name}: expected {rule}, got {value!r}")


def _check_weights(name: str, weights: Mapping[str, float], known: Mapping[str, float]) -> None:
    unknown = sorted(set(weights) - set(known))
    _require(not unknown, name, unknown, f"names among {', '.join(known)}")
    good = all(weight >= 0 for weight in weights.values()) and sum(weights.values()) > 0
    _require(good, name, dict(weights), "weights of at least 0, not all 0")
