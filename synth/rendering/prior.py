"""How widely identities spread: every strength that decides how different two people look, in one place."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityPrior:
    """Strengths of the identity prior; larger means more different people, and sooner caricatures.

    Attributes:
        youngest, oldest: years; adults only.
        age_exponent: years = youngest + (oldest - youngest) * uniform ** age_exponent; above 1 favours the young.
        ancestry_temperature: of the softmax over three coordinates; 0 mixes everyone evenly, large ones mix nobody.
        sex_sharpness: slope of the logistic over the uniform sex coordinate; large ones leave few in between.
        weight_spread: sd of body weight around 0.5 (0..1).
        shape_spread: factor on the standard deviations of MakeHuman's local controls.
        asymmetry: sd of the difference between left and right controls, relative to the control's own sd.
        field_spread: rms factor of the extra smooth deformation fields.
        proportion_spread: factor on whole-face proportions (lengths and widths of the thirds of a face).
        eye_spread: factor on distance, height, depth and size of the eyes.
        brow_spread: factor on the deviations of the brows from an average brow.
        melanin_spread: sd of melanin around the mean of the ancestry mix (0..1).
        redness_spread: sd of haemoglobin (0..1).
        lip_colour_spread: factor on the colour deviations of lips.
        blotch_strength: factor on blotches, freckles, moles and shadows under the eyes.
        wrinkle_strength: factor on wrinkles and nasolabial folds, which grow with age.

    Raises:
        ValueError: a strength is negative, or the ages are not ordered.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"extra": "forbid"}

    youngest: float = 18.0
    oldest: float = 80.0
    age_exponent: float = 1.4
    ancestry_temperature: float = 5.0
    sex_sharpness: float = 10.0
    weight_spread: float = 0.26
    shape_spread: float = 1.35
    asymmetry: float = 0.22
    field_spread: float = 0.12
    proportion_spread: float = 0.95
    eye_spread: float = 1.4
    brow_spread: float = 1.5
    melanin_spread: float = 0.15
    redness_spread: float = 0.17
    lip_colour_spread: float = 1.3
    blotch_strength: float = 1.0
    wrinkle_strength: float = 1.0

    def __post_init__(self) -> None:
        for item in fields(self):
            if not getattr(self, item.name) >= 0:
                raise ValueError(f"prior.{item.name}: expected at least 0, got {getattr(self, item.name)!r}")
        if self.oldest < self.youngest:
            raise ValueError(f"prior.oldest: expected at least {self.youngest}, the youngest, got {self.oldest}")


DEFAULT_PRIOR = IdentityPrior()
