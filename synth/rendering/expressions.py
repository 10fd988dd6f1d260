"""Expressions as activations of the head's face units; a unit with two halves is named without its side."""

from __future__ import annotations

from collections.abc import Mapping

SMILE = {"mouthSmile": 0.7, "cheekSquint": 0.5, "eyeSquint": 0.3}
GRIN = {"mouthSmile": 0.8, "jawOpen": 0.13, "mouthUpperUp": 0.35, "cheekSquint": 0.6}
SURPRISE = {"jawOpen": 0.3, "browInnerUp": 0.8, "browOuterUp": 0.7, "eyeWide": 0.7}
FROWN = {"browDown": 0.8, "mouthFrown": 0.5, "eyeSquint": 0.3}
EXPRESSIONS: Mapping[str, Mapping[str, float]] = {
    "neutral": {},
    "smile": SMILE,
    "grin": GRIN,
    "open": {"jawOpen": 0.4},
    "surprise": SURPRISE,
    "frown": FROWN,
    "pucker": {"mouthPucker": 0.6},
    "press": {"mouthPress": 0.6},
    "blink": {"eyeBlink": 0.8},
}
CENTRAL_UNITS = frozenset({"jawOpen", "browInnerUp", "mouthPucker"})  # the others have a left and a right half
STRAY_HALVES = (
    "browDown", "browOuterUp", "cheekSquint", "eyeSquint", "eyeWide", "mouthDimple", "mouthFrown", "mouthPress",
    "mouthSmile", "mouthStretch", "mouthUpperUp", "noseSneer",
)  # fmt: skip
STRAY_CENTRAL = ("browInnerUp", "cheekPuff", "mouthLeft", "mouthRight", "mouthPucker", "mouthRollLower")
STRAY_UNITS = (*(f"{unit}{side}" for side in ("Left", "Right") for unit in STRAY_HALVES), *STRAY_CENTRAL)
