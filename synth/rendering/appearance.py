"""Skin textures of a person: albedo and relief on the cylinder around the rest head."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import warp as wp

from synth.rendering.attributes import Attributes
from synth.rendering.decoding import GREY_HAIR
from synth.rendering.head import load_head
from synth.rendering.kernels import bake
from synth.rendering.moles import mole_map, mole_presence
from synth.rendering.regions import beard_regions, face_regions, hairline_height
from synth.rendering.texture_domain import texture_domain

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

REFERENCE_COLUMNS = 1024  # texture width at which heights are as the shader's bump scale expects
CHEEK_LINE_REACH = 0.18  # dm, of the two beard regions between which a person's lies
HAIRLINE_SOFTNESS = 0.06  # dm
SCALP_COVERAGE = {"bald": 0.15, "buzz": 0.80}
OTHER_SCALP_COVERAGE = 0.93
SHAVED = {"clean": 0.55, "stubble": 0.0, "moustache": 0.45, "goatee": 0.50, "full": 0.0}  # times the person's shadow


def bake_skin(person: Attributes, shape: tuple[int, int], device: str) -> tuple[Any, Any]:
    """Returns albedo (Warp array of vec3) and relief (vec2) of a person, both (TH * TW,).

    Args:
        person: decoded from the vector.
        shape: (TH, TW), like (320, 512).
        device: Warp device.
    """
    fields, regions, mole_index, mole_shape = _constants(shape, device)
    count = shape[0] * shape[1]
    albedo: Any = wp.zeros(count, dtype=wp.vec3, device=device)
    relief: Any = wp.zeros(count, dtype=wp.vec2, device=device)
    mixed: list[Any] = [
        wp.array(np.ascontiguousarray(values, dtype=np.float32), dtype=float, device=device)
        for values in (
            mole_presence(person.skin.mole_direction),
            _field_weights(person),
            person.skin.freckle_weights / 2.0,
            _hairline(person, shape[1]),
        )
    ]
    wp.launch(
        bake.bake_skin,
        dim=count,
        inputs=[fields, regions, mole_index, mole_shape, *mixed, _skin(person, shape)],
        outputs=[albedo, relief],
        device=device,
    )
    return albedo, relief


@cache
def _constants(shape: tuple[int, int], device: str) -> tuple[Any, Any, Any, Any]:
    """Returns what all people share at a texture size: noise fields, regions, candidates of moles."""
    domain = texture_domain(shape)
    moles = mole_map(shape)
    fields: Any = wp.zeros((len(domain.positions), bake.FIELD_COUNT), dtype=float, device=device)
    positions: Any = wp.array(domain.positions, dtype=wp.vec3, device=device)
    wp.launch(bake.evaluate_fields, dim=len(domain.positions), inputs=[positions], outputs=[fields], device=device)

    moustache, chin, low = beard_regions(domain.positions, -CHEEK_LINE_REACH)
    high = beard_regions(domain.positions, CHEEK_LINE_REACH)[2]
    named = face_regions(domain.positions) | {
        "lips": domain.lips,
        "ears": domain.ears,
        "moustache": moustache,
        "chin": chin,
        "beard_low": low,
        "beard_high": high,
    }
    stacked = np.stack([named[name] for name in bake.REGION_NAMES], axis=1).astype(np.float32)
    regions: Any = wp.array(stacked, dtype=float, device=device)
    index: Any = wp.array(moles.index, dtype=int, device=device)
    shapes: Any = wp.array(moles.shape, dtype=float, device=device)
    return fields, regions, index, shapes


def _field_weights(person: Attributes) -> Float64:
    """Returns the weight of each noise field, indexed like the columns of the fields."""
    weights = np.zeros(bake.FIELD_COUNT)
    low, mid = bake.LOW_FIELDS, bake.MID_FIELDS
    weights[:low] = person.skin.blotch_weights[:low] / np.sqrt(low)
    weights[low : low + mid] = person.skin.blotch_weights[low : low + mid] / np.sqrt(mid)
    for first, chosen in ((bake.FOREHEAD, slice(0, 3)), (bake.CROW, slice(3, 6))):
        powers = np.exp(1.5 * person.skin.wrinkle_weights[chosen])
        weights[first : first + 3] = powers / powers.sum()
    return weights


def _hairline(person: Attributes, columns: int) -> Float64:
    """Returns the rest height of the scalp's edge in each column of the texture, dm, float64 (TW,)."""
    azimuth = np.abs((np.arange(columns) + 0.5) / columns - 0.5) * 360.0
    return np.asarray(hairline_height(azimuth, person.hairline), dtype=np.float64)


def _skin(person: Attributes, shape: tuple[int, int]) -> Any:  # noqa: ANN401 (a Warp struct)
    """Returns the kernel's struct."""
    traits, lips, beard, head = person.skin, person.lips, person.beard, load_head()
    hair = person.hair.colour * (1.0 - person.hair.grey) + GREY_HAIR * person.hair.grey
    skin = bake.Skin()
    for name in (
        "melanin", "haemoglobin", "roughness", "oil", "blotch", "under_eye", "flush", "freckles", "wrinkles",
        "nasolabial",
    ):  # fmt: skip
        setattr(skin, name, getattr(traits, name))
    skin.lip_colour = _vec3(lips.colour)
    skin.lip_coverage = lips.coverage
    skin.eye_shadow = lips.eye_shadow
    skin.eye_shadow_colour = _vec3(lips.eye_shadow_colour)
    skin.beard_colour = _vec3(0.7 * hair + 0.02)
    skin.beard_shaved = SHAVED[beard.kind] * beard.shadow
    skin.beard_moustache = {"stubble": 0.85, "moustache": 0.6, "goatee": 0.6, "full": 0.8}.get(beard.kind, 0.0)
    skin.beard_chin = 0.6 if beard.kind == "goatee" else 0.0
    skin.beard_whole = {"stubble": 0.85, "full": 0.8}.get(beard.kind, 0.0) * beard.fullness
    skin.cheek_line = 0.5 + 0.5 * beard.cheek_line / CHEEK_LINE_REACH
    skin.scalp_colour = _vec3(0.5 * hair + 0.008)
    skin.scalp_coverage = SCALP_COVERAGE.get(person.hair.style, OTHER_SCALP_COVERAGE)
    skin.hairline_softness = HAIRLINE_SOFTNESS
    skin.bottom = head.texture_bottom
    skin.row_height = (head.texture_top - head.texture_bottom) / shape[0]
    skin.columns = shape[1]
    skin.relief_scale = shape[1] / REFERENCE_COLUMNS
    return skin


def _vec3(colour: Float64) -> Any:  # noqa: ANN401
    return wp.vec3(*(float(channel) for channel in colour))
