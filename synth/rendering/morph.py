"""From attributes to the vertices of a head."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np
import numpy.typing as npt

from synth.rendering.adult_proportions import adult_offset
from synth.rendering.attributes import Attributes
from synth.rendering.fields import field_offset
from synth.rendering.head import load_head
from synth.rendering.lids import fit_lids
from synth.rendering.prior import DEFAULT_PRIOR, IdentityPrior

Float32 = npt.NDArray[np.float32]

REGION_SPREAD = {  # sd of the controls of a region, in units of the control's own range
    "head": 0.25,
    "forehead": 0.36,
    "eyebrows": 0.30,
    "eyes": 0.30,
    "nose": 0.28,
    "mouth": 0.29,
    "ears": 0.36,
    "chin": 0.33,
    "cheek": 0.36,
    "neck": 0.22,
    "asym": 0.18,
}
CONTROL_FACTOR = {  # part of a control's name -> factor on its sd; the first that fits counts
    "head-scale": 0.35,
    "head-trans": 0.15,
    "neck-trans": 0.15,
    "nose-trans-out": 0.12,
    "mouth-trans-out": 0.12,
    "trans": 0.6,
    "pointed": 0.3,
    "ear-shape-triangle": 0.3,
    "eyefold-angle": 0.7,
    "laugh-lines": 0.6,
}
LARGEST_CONTROL = 0.95
UNFOLDING_ROUNDS = 3  # many controls and fields at once would fold nostrils and lips; averaging neighbours undoes it
SHAPES_OF_HEADS = ("diamond", "invertedtriangular", "oval", "rectangular", "round", "square", "triangular")


def shape_vertices(person: Attributes, prior: IdentityPrior = DEFAULT_PRIOR) -> Float32:
    """Returns the head of a person in neutral expression, float32 (V, 3), dm."""
    head = load_head()
    average = head.vertices + head.offset(_macro(person)) + adult_offset()
    own = head.offset(_local(person, prior)) + field_offset(person.fields, prior)
    return fit_lids(average + head.smooth(own, UNFOLDING_ROUNDS), average, head).astype(np.float32)


@cache
def local_controls() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Returns MakeHuman's local controls: (name without side, targets without sign); two targets if it has sides."""
    sides: dict[str, list[str]] = {}
    for target in load_head().target_names:
        kind, *rest = target.split("/")
        if kind == "local":
            region, name, _ = rest
            control = f"{region}/{name[2:] if name.startswith(('l-', 'r-')) else name}"
            stem = f"local/{region}/{name}"
            if stem not in sides.setdefault(control, []):
                sides[control].append(stem)
    return tuple((control, tuple(sorted(targets))) for control, targets in sorted(sides.items()))


def _macro(person: Attributes) -> dict[str, float]:
    """Returns the weights of sex x age x muscle x weight and of ancestry x sex x age; each set sums to 1."""
    sexes = {"female": 1.0 - person.male, "male": person.male}
    ages = {"young": 1.0 - person.age, "old": person.age}
    muscles = _three_corners(person.muscle, "muscle")
    weights = _three_corners(person.weight, "weight")
    ancestries = {"african": person.african, "asian": person.asian, "caucasian": person.caucasian}
    coefficients = {}
    for (sex, a), (age, b), (muscle, c), (weight, d) in product(
        sexes.items(), ages.items(), muscles.items(), weights.items()
    ):
        coefficients[f"macro/{sex}/{age}/{muscle}/{weight}"] = a * b * c * d
    for (name, a), (sex, b), (age, c) in product(ancestries.items(), sexes.items(), ages.items()):
        coefficients[f"ancestry/{name}/{sex}/{age}"] = a * b * c
    return {name: value for name, value in coefficients.items() if value > 0.0}


def _three_corners(value: float, name: str) -> dict[str, float]:
    """Returns the weights of minimum, average and maximum at 0..1, piecewise linear."""
    t = 2.0 * value
    return {
        f"min{name}": max(0.0, 1.0 - t),
        f"average{name}": 1.0 - abs(t - 1.0),
        f"max{name}": max(0.0, t - 1.0),
    }


def _local(person: Attributes, prior: IdentityPrior) -> dict[str, float]:
    """Returns the weights of local targets: both sides alike but for a small asymmetry."""
    known = set(load_head().target_names)
    differences = iter(person.asymmetry)
    coefficients: dict[str, float] = {}
    for (control, targets), normal in zip(local_controls(), person.shape, strict=True):
        difference = prior.asymmetry * next(differences) if len(targets) == 2 else 0.0
        factor = next((f for part, f in CONTROL_FACTOR.items() if part in control), 1.0)
        spread = REGION_SPREAD[control.split("/")[0]] * prior.shape_spread * factor
        for target, sign in zip(targets, (0.5, -0.5), strict=False):
            value = float(np.clip((normal + sign * difference) * spread, -LARGEST_CONTROL, LARGEST_CONTROL))
            if control.removeprefix("head/head-") in SHAPES_OF_HEADS:
                value = abs(value) * 0.5
            if value >= 0:
                coefficients[f"{target}/+"] = value
            elif f"{target}/-" in known:
                coefficients[f"{target}/-"] = -value
    return coefficients
