"""How each hair style grows: numbers and first directions that `hair.py` turns into strands.

Legend: N roots, dm, head frame. The traits `length`, `volume`, ... (0..1) move each style within its own range.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synth.rendering.attributes import HairStyleName, HairTraits
from synth.rendering.regions import smooth_step
from synth.rendering.roots import Roots

Float32 = npt.NDArray[np.float32]

STRAND_COUNTS: dict[HairStyleName, int] = {
    "bald": 0,
    "buzz": 24000,
    "short": 22000,
    "side": 20000,
    "back": 20000,
    "curly": 18000,
    "afro": 20000,
    "long": 16000,
    "longside": 16000,
    "bob": 16000,
    "tied": 16000,
    "curlylong": 16000,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How hair grows.

    Attributes:
        direction: float32 (N, 3), where a strand starts towards; made tangential and unit by `hair.py`.
        length: float32 (N,), dm.
        lift: 0..1, share of the skin's normal in the first direction.
        gravity: pull down per step.
        thickness: dm, of the layer of hair over the skin.
        clumping: 0..1, how far strands join at their tips.
        wave: dm, sideways swing.
        frizz: strength of random turns.
        outwards: push along the normal per step.
        target: (3,), dm, where all strands run to; None for none.
        falls: True where the hair hangs beside the face and has to be kept off it.
    """

    direction: Float32
    length: Float32
    lift: float
    gravity: float = 0.0
    thickness: float = 0.10
    clumping: float = 0.35
    wave: float = 0.0
    frizz: float = 0.0
    outwards: float = 0.0
    target: Float32 | None = None
    falls: bool = False


def grow(hair: HairTraits, roots: Roots, starts: Float32, centre: Float32) -> Growth:
    """Returns how a person's style grows.

    Args:
        hair: of the person; `bald` has no growth.
        roots: (N) on the rest head.
        starts: float32 (N, 3), dm, where they are on the person.
        centre: float32 (3,), dm, of the person's radial map.

    Raises:
        KeyError: the style has no growth.
    """
    return GROWTHS[hair.style](hair, roots, starts, centre)


def _buzz(hair: HairTraits, roots: Roots, starts: Float32, centre: Float32) -> Growth:
    length = np.full(len(starts), 0.06 + 0.08 * hair.length, dtype=np.float32)
    direction = starts - _crown(hair, centre)
    return Growth(direction=direction, length=length, lift=0.75, thickness=0.05, clumping=0.0)


def _short(hair: HairTraits, roots: Roots, starts: Float32, centre: Float32) -> Growth:
    top = smooth_step(7.7, 8.2, roots.positions[:, 1])
    return Growth(
        direction=_floats(starts - _crown(hair, centre) + [0.2 * hair.sweep, 0.0, 0.25]),
        length=_floats(0.16 + (0.25 + 0.5 * hair.length) * top),
        lift=0.28 + 0.25 * hair.lift,
        thickness=0.10 + 0.08 * hair.volume,
        wave=0.02 * hair.wave,
    )


def _side(hair: HairTraits, roots: Roots, starts: Float32, centre: Float32) -> Growth:
    top = smooth_step(7.6, 8.1, roots.positions[:, 1])
    return Growth(
        direction=_floats(_parting_side(hair, roots) * [1.0, -0.25, -0.15] + [0.0, 0.0, 0.15]),
        length=_floats(0.2 + (0.6 + 0.5 * hair.length) * top),
        lift=0.30 + 0.2 * hair.lift,
        gravity=0.12,
        thickness=0.10 + 0.10 * hair.volume,
        wave=0.03 * hair.wave,
    )


def _back(hair: HairTraits, roots: Roots, starts: Float32, centre: Float32) -> Growth:
    top = smooth_step(7.6, 8.1, roots.positions[:, 1])
    outwards = np.tanh(roots.positions[:, :1] / 0.1)
    return Growth(
        direction=_floats(outwards * [0.2, 0.0, 0.0] + [0.0, 0.2, -1.0]),
        length=_floats(0.25 + (0.7 + 0.6 * hair.length) * top),
        lift=0.35 + 0.2 * hair.lift,
        gravity=0.08,
        thickness=0.12 + 0.12 * hair.volume,
    )


def _curly(hair: HairTraits, roots: Roots, starts: Float32, centre: Float32) -> Growth:
    return Growth(
        direction=roots.normal[:, :3],
        length=_floats((0.45 + 0.9 * hair.length**1.5) * (0.8 + 0.3 * roots.uniform[:, 5])),
        lift=0.45,
        gravity=0.25,
        thickness=0.08 + 0.3 * hair.volume,
        clumping=0.25,
        frizz=0.8,
    )


def _afro(hair: HairTraits, roots: Roots, starts: Float32, centre: Float32) -> Growth:
    return Growth(
        direction=roots.normal[:, :3],
        length=_floats((0.35 + 0.75 * hair.length**1.5) * (0.8 + 0.3 * roots.uniform[:, 5])),
        lift=0.6,
        thickness=0.08 + 0.3 * hair.volume,
        clumping=0.25,
        frizz=1.1,
        outwards=0.25,
    )


def _long(hair: HairTraits, roots: Roots, starts: Float32, centre: Float32) -> Growth:
    middle_parting = hair.style == "long"
    base, range_ = (1.15, 0.6) if hair.style == "bob" else (2.0, 1.8)
    side = _parting_side(hair, roots, at_middle=middle_parting)
    front = roots.positions[:, 2:3] > 1.2
    outwards = side * [1.0, -0.1, -0.35] * np.where(front, 1.0, 0.6)
    direction: npt.NDArray[np.floating] = outwards + np.array([0.0, -0.5, -0.35])
    length: npt.NDArray[np.floating] = np.full(len(starts), base + range_ * hair.length)
    if hair.style in ("bob", "long") and hair.fringe > 0.55:
        direction, length = _fringe(roots, direction, length)
    return Growth(
        direction=_floats(direction),
        length=_floats(length),
        lift=0.22 + 0.15 * hair.lift,
        gravity=0.42,
        thickness=0.10 + 0.14 * hair.volume,
        wave=0.02 + 0.14 * max(0.0, hair.wave - 0.4),
        falls=True,
    )


def _curly_long(hair: HairTraits, roots: Roots, starts: Float32, centre: Float32) -> Growth:
    side = _parting_side(hair, roots)
    front = roots.positions[:, 2:3] > 1.2
    return Growth(
        direction=_floats(side * [1.0, -0.1, -0.35] * np.where(front, 1.0, 0.6) + [0.0, -0.5, -0.35]),
        length=np.full(len(starts), 1.05 * (2.0 + 1.8 * hair.length), dtype=np.float32),
        lift=0.22 + 0.15 * hair.lift,
        gravity=0.5,
        thickness=0.3,
        clumping=0.45,
        wave=0.08,
        frizz=0.5,
        falls=True,
    )


def _tied(hair: HairTraits, roots: Roots, starts: Float32, centre: Float32) -> Growth:
    target = _floats(centre + np.array([0.0, 0.25, -1.25]))
    return Growth(
        direction=target - starts,
        length=_floats(np.linalg.norm(target - starts, axis=1) * 1.05),
        lift=0.08,
        thickness=0.06,
        clumping=0.2,
        target=target,
    )


def _fringe(
    roots: Roots, direction: npt.NDArray[np.floating], length: npt.NDArray[np.floating]
) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.floating]]:
    """Combs the front of the scalp down onto the forehead."""
    x, y, z = roots.positions.T
    front = (z > 1.05) & (y > 7.85) & (np.abs(x) < 0.5)
    forwards = np.stack([0.25 * x, np.full_like(x, -0.6), np.ones_like(x)], axis=1)
    short = 0.55 + 0.1 * roots.uniform[:, 5]
    return np.where(front[:, None], forwards, direction), np.where(front, short, length)


def _parting_side(hair: HairTraits, roots: Roots, at_middle: bool = False) -> Float32:
    """Returns +1 left of the parting and -1 right of it, float32 (N, 1)."""
    parting = 0.0 if at_middle else hair.parting
    return np.where(roots.positions[:, :1] > parting, 1.0, -1.0).astype(np.float32)


def _crown(hair: HairTraits, centre: Float32) -> Float32:
    """Returns the whorl that short hair radiates from, float32 (3,)."""
    return _floats(centre + np.array([0.4 * hair.parting, 0.95, -0.55]))


def _floats(values: npt.NDArray[np.floating]) -> Float32:
    return np.asarray(values, dtype=np.float32)


GROWTHS: dict[HairStyleName, Callable[[HairTraits, Roots, Float32, Float32], Growth]] = {
    "buzz": _buzz,
    "short": _short,
    "side": _side,
    "back": _back,
    "curly": _curly,
    "afro": _afro,
    "long": _long,
    "longside": _long,
    "bob": _long,
    "tied": _tied,
    "curlylong": _curly_long,
}
