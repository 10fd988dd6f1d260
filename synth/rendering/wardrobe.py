"""What a person wears in a picture: meshes, the hair they hide, clothes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import warp as wp

from synth.rendering.face import Face
from synth.rendering.head import load_head
from synth.rendering.kernels.cloth import Clothes
from synth.rendering.kernels.pose import Cover
from synth.rendering.nuisance import Wear
from synth.rendering.palette import random_colour
from synth.rendering.worn.glasses import make_glasses
from synth.rendering.worn.headwear import HAT_DROP, MASK_SIDE, MASK_TOP, make_hat, make_mask
from synth.rendering.worn.mesh import WornMesh

NUM_PATTERNS = 4  # plain, stripes, mottled, collar


@dataclass(frozen=True, slots=True, kw_only=True)
class Outfit:
    """Worn meshes in the head frame, and the kernels' `Cover` and `Clothes`."""

    worn: list[WornMesh]
    cover: Any
    clothes: Any


def dress(face: Face, vertices: npt.NDArray[np.float32], wear: Wear) -> Outfit:
    """Dresses a person.

    Args:
        face: the person.
        vertices: float32 (V, 3), dm, the head with its expression, head frame.
        wear: what is worn; its style decides shapes and colours.
    """
    glasses_rng, hat_rng, mask_rng, clothes_rng = (np.random.default_rng([wear.style, i]) for i in range(4))
    worn: list[WornMesh] = []
    cover = Cover()
    cover.centre = wp.vec3(*face.radial.centre)
    if wear.glasses:
        worn += make_glasses(load_head(), vertices, glasses_rng, dark=wear.sunglasses)
    if wear.hat:
        hat = make_hat(face.radial, hat_rng)
        worn += hat.meshes
        cover.hat_front, cover.hat_drop = hat.front_edge, HAT_DROP
    if wear.mask:
        worn += make_mask(face.radial, vertices[_lower_face()], _ears(vertices), mask_rng)
        cover.mask_top, cover.mask_side = MASK_TOP, MASK_SIDE
    return Outfit(worn=worn, cover=cover, clothes=_clothes(clothes_rng))


def _lower_face() -> npt.NDArray[np.bool_]:
    """Returns the skin's vertices from the nose to the chin, bool (V,)."""
    head = load_head()
    x, y, z = head.vertices.T
    lower: npt.NDArray[np.bool_] = head.skin & (np.abs(x) < 0.5) & (y > 6.3) & (y < 7.1) & (z > 1.1)
    return lower


def _ears(vertices: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Returns the middle of the left and the right ear, float64 (2, 3), dm."""
    head = load_head()
    is_ear = head.ears > 0.5
    left = head.vertices[:, 0] > 0
    return np.stack([vertices[is_ear & side].mean(axis=0) for side in (left, ~left)]).astype(np.float64)


def _clothes(rng: np.random.Generator) -> Any:  # noqa: ANN401 (a warp struct)
    """Draws a top: two colours, a pattern, a neckline from high to open."""
    clothes = Clothes()
    clothes.colour = wp.vec3(*random_colour(rng))
    clothes.second_colour = wp.vec3(*random_colour(rng))
    clothes.pattern = int(rng.integers(NUM_PATTERNS))
    clothes.neckline = float(rng.uniform(5.6, 5.95))
    clothes.dip = float(rng.uniform(0.0, 0.6))
    clothes.seed = int(rng.integers(99991))
    return clothes
