"""Rendered faces of two people, made by the package's own generator: nobody's photographs."""

from pathlib import Path

import numpy as np

from synth.images import decode_image

RENDERED = Path(__file__).parent / "rendered"


def rendered_faces():
    """Returns uint8 (3, 160, 160, 3): two pictures of one person, one of another."""
    names = ("first_0.jpg", "first_1.jpg", "second_0.jpg")
    return np.stack([decode_image((RENDERED / name).read_bytes()) for name in names])
