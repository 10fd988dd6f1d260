"""What a vector says about a person, in readable terms. `decoding.py` fills these in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]

HairStyleName = Literal[
    "bald", "buzz", "short", "side", "back", "curly", "afro", "long", "longside", "bob", "tied", "curlylong"
]
BeardKind = Literal["clean", "stubble", "moustache", "goatee", "full"]

ADULT_YEARS = 18.0  # nobody is ever shown younger
YOUNG_YEARS, OLD_YEARS = 20.0, 86.0  # what the young and old shapes look like on a face


@dataclass(frozen=True, slots=True, kw_only=True)
class SkinTraits:
    """Colour and surface of the skin.

    Attributes:
        melanin: 0..1, of the epidermis, on the scale of kernels/bake.py.
        haemoglobin: 0..1.
        roughness: 0..1, of the surface.
        oil: 0..1, shine of forehead and nose.
        blotch: strength of uneven colour.
        blotch_weights: float64 (10,), weights of fixed noise fields: where the blotches are.
        under_eye: 0..1, darkness under the eyes.
        flush: 0..1, redness of cheeks and nose.
        freckles: 0..1.
        freckle_weights: float64 (4,), where the freckles are.
        mole_direction: float64 (12,), decides which of the fixed candidate moles a person has.
        wrinkles: 0..1.
        nasolabial: 0..1, depth of the folds from nose to mouth.
        wrinkle_weights: float64 (6,), weights of fixed wrinkle patterns.
    """

    melanin: float
    haemoglobin: float
    roughness: float
    oil: float
    blotch: float
    blotch_weights: Float64
    under_eye: float
    flush: float
    freckles: float
    freckle_weights: Float64
    mole_direction: Float64
    wrinkles: float
    nasolabial: float
    wrinkle_weights: Float64

    @property
    def tone(self) -> float:
        """Individual typology angle of the even skin, degrees: above 55 very light, below -30 dark."""
        lightness, yellow = _lightness_and_yellow(even_skin_colour(self.melanin, self.haemoglobin))
        return float(np.degrees(np.arctan2(lightness - 50.0, yellow)))


@dataclass(frozen=True, slots=True, kw_only=True)
class LipTraits:
    """Colour of lips and make-up.

    Attributes:
        colour: float64 (3,), linear RGB of pigment or lipstick.
        coverage: 0..1, of that colour over the lips' own.
        eye_shadow: 0..1.
        eye_shadow_colour: float64 (3,), linear RGB factor.
        lash_length: factor.
    """

    colour: Float64
    coverage: float
    eye_shadow: float
    eye_shadow_colour: Float64
    lash_length: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EyeTraits:
    """Iris of both eyes.

    Attributes:
        iris, iris_inner: float64 (3,), linear RGB.
        iris_radius: radians.
        pattern: float64 (3,), offset in the noise field of the iris.
    """

    iris: Float64
    iris_inner: Float64
    iris_radius: float
    pattern: Float64


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowTraits:
    """Shape of the brows on the rest head, dm unless said otherwise; along the brow t runs 0 (inner) .. 1.

    Attributes:
        height, arch, tilt, drop: vertical place of the brow, its bow, its rise and the fall of its outer end.
        thickness, inner, outer: vertical extent, and x of both ends.
        taper: 0..1, loss of thickness towards the outer end.
        density: share of the roots, 0..1.
        length: of the hairs.
        darkness: factor on the hair colour.
        bridge: 0..1, density of hairs between the brows.
    """

    height: float
    arch: float
    tilt: float
    drop: float
    thickness: float
    inner: float
    outer: float
    taper: float
    density: float
    length: float
    darkness: float
    bridge: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BeardTraits:
    """Facial hair.

    Attributes:
        kind: clean for all who present female.
        shadow: 0..1, darkness of shaved skin.
        length: dm.
        fullness: 0..1, share of the roots.
        cheek_line: dm, shift of the upper edge.
        curl: dm, of the hairs.
    """

    kind: BeardKind
    shadow: float
    length: float
    fullness: float
    cheek_line: float
    curl: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HairlineTraits:
    """Edge of the scalp hair on the rest head, dm.

    Attributes:
        front: raises the edge over the forehead.
        side: lowers the sideburns.
        nape: raises the edge at the back.
        recession: raises the edge over the temples.
    """

    front: float
    side: float
    nape: float
    recession: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HairTraits:
    """Scalp hair.

    Attributes:
        style: how it is cut and combed.
        colour: float64 (3,), linear RGB albedo.
        grey: 0..1, share of grey.
        length, volume, lift, wave, wave_rate, fringe, sides: 0..1, read by each style in its own way.
        parting: dm, x of the parting.
        sweep: -2..2, direction of short hair.
    """

    style: HairStyleName
    colour: Float64
    grey: float
    length: float
    volume: float
    lift: float
    wave: float
    wave_rate: float
    fringe: float
    sides: float
    parting: float
    sweep: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """A person.

    Attributes:
        age_years: 18..80.
        male: 0..1, presentation; most people are near an end.
        african, asian, caucasian: 0..1, sum 1; names of MakeHuman's shape targets.
        muscle, weight: 0..1.
        shape: float64 (147,), uniform of variance 1, MakeHuman's local controls in the order of `morph.local_controls`.
        asymmetry: float64 (34,), standard-normal, difference between the sides of those that have sides.
        fields: float64 (120,), uniform of variance 1, extra deformation fields of `fields.py`.
        teeth: float64 (3,), linear RGB.
    """

    age_years: float
    male: float
    african: float
    asian: float
    caucasian: float
    muscle: float
    weight: float
    shape: Float64
    asymmetry: Float64
    fields: Float64
    skin: SkinTraits
    lips: LipTraits
    eyes: EyeTraits
    brows: BrowTraits
    beard: BeardTraits
    hairline: HairlineTraits
    hair: HairTraits
    teeth: Float64

    @property
    def age(self) -> float:
        """How far the shape is from MakeHuman's young (0) to its old (1) end."""
        return age_fraction(self.age_years)

    def ageing(self, years: float) -> float:
        """Returns how many of `years` of ageing (negative: rejuvenation) leave the person an adult."""
        return max(years, ADULT_YEARS - self.age_years)


def age_fraction(years: float) -> float:
    """Returns how far an age lies between MakeHuman's young and old shapes, 0..1."""
    return float(np.clip((years - YOUNG_YEARS) / (OLD_YEARS - YOUNG_YEARS), 0.0, 1.0))


def even_skin_colour(melanin: float, haemoglobin: float) -> Float64:
    """Returns linear RGB of skin without blotches, (3,); the same formula as `kernels/bake.py`."""
    base = np.array([0.80, 0.555, 0.40])
    absorption = np.array([2.10, 2.53, 2.62]) * melanin + np.array([0.12, 0.62, 0.52]) * haemoglobin
    return base * np.exp(-absorption)


def _lightness_and_yellow(rgb: Float64) -> tuple[float, float]:
    """Returns CIELAB L* and b* of a linear RGB colour (sRGB primaries, D65)."""
    y = float(rgb @ np.array([0.2126, 0.7152, 0.0722]))
    z = float(rgb @ np.array([0.0193, 0.1192, 0.9505])) / 1.0888
    y_root, z_root = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (y, z))
    return 116 * y_root - 16, 200 * (y_root - z_root)
