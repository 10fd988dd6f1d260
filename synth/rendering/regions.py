"""Regions of the rest head: where blushes, wrinkles, beards and scalp hair belong. All are functions of rest positions.

Legend: positions (..., 3) in dm on the rest head; results (...) 0..1. Every region is mirrored at x = 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from synth.rendering.attributes import HairlineTraits
from synth.rendering.head import Head

Float32 = npt.NDArray[np.float32]
Floats = npt.NDArray[np.floating]

HAIRLINE_AZIMUTHS = (0, 18, 32, 45, 58, 72, 84, 92, 104, 118, 135, 180)  # degrees from the front, about the axis
TEMPLE = 0.1  # dm


def smooth_step(low: float | Floats, high: float | Floats, values: Floats) -> Float32:
    """Returns the smooth step from low to high (either may be the larger), same shape as `values`."""
    t = np.clip((values - low) / (high - low), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t), dtype=np.float32)


def face_regions(positions: Floats) -> dict[str, Float32]:
    """Returns eyes, cheeks, nose, forehead, nasolabial folds and crow's feet."""
    p = mirrored(positions)
    x, y, z = p[..., 0], p[..., 1], p[..., 2]
    below_eye = _bump(p, (0.31, 7.16, 1.4), (0.16, 0.08, 0.35))
    lid = _bump(p, (0.32, 7.40, 1.4), (0.17, 0.07, 0.35))
    forehead = smooth_step(7.5, 7.65, y) * smooth_step(8.1, 7.9, y)
    fold = np.exp(-((x - (0.27 + (6.95 - y) * 0.38)) ** 2) / (2 * 0.022**2))
    return {
        "eye": np.clip(below_eye + 0.9 * lid, 0, 1),
        "lid": lid,
        "cheek": _bump(p, (0.48, 6.93, 1.3), (0.2, 0.17, 0.5)),
        "nose": _bump(p, (0.0, 6.93, 1.65), (0.16, 0.13, 0.3)),
        "forehead": forehead * smooth_step(0.9, 1.2, z) * smooth_step(0.65, 0.45, x),
        "fold": fold * smooth_step(6.5, 6.6, y) * smooth_step(7.0, 6.85, y) * smooth_step(1.0, 1.2, z),
        "crow": _bump(p, (0.6, 7.25, 1.2), (0.09, 0.13, 0.25)),
    }


def beard_regions(positions: Floats, cheek_line: float = 0.0) -> tuple[Float32, Float32, Float32]:
    """Returns moustache, chin and the whole beard without the moustache.

    Args:
        positions: (..., 3).
        cheek_line: dm, raises the upper edge on the cheeks.
    """
    p = mirrored(positions)
    x, y, z = p[..., 0], p[..., 1], p[..., 2]
    moustache = _bump(p, (0.12, 6.80, 1.6), (0.14, 0.05, 0.3))
    chin = smooth_step(6.62, 6.5, y) * smooth_step(5.98, 6.12, y) * smooth_step(0.55, 0.85, z)
    edge = 6.62 + cheek_line + np.clip((1.45 - z) / 0.8, 0, 1) * 0.48  # from the mouth's corner to the sideburn
    jaw = smooth_step(edge + 0.03, edge - 0.06, y) * smooth_step(0.5, 0.75, z) * smooth_step(5.98, 6.2, y)
    whole = np.clip(np.maximum(chin, jaw), 0, 1)
    return moustache, whole * smooth_step(0.42, 0.25, x), whole


def hairline_height(azimuth: Floats, line: HairlineTraits) -> Floats:
    """Returns the rest height of the edge of the scalp hair, dm.

    Args:
        azimuth: degrees from the front about the axis of the texture, 0..180.
        line: shifts of the edge.
    """
    heights = [
        8.02 + line.front,
        8.0 + line.front,
        7.98 + line.front - 0.3 * TEMPLE,
        7.83 + 0.5 * line.front,
        7.62,
        7.45,
        7.12 - line.side,
        7.2 - 0.5 * line.side,
        7.45,
        7.15,
        6.85 + line.nape,
        6.72 + line.nape,
    ]
    receded = line.recession * smooth_step(8.0, 30.0, azimuth) * smooth_step(50.0, 34.0, azimuth)
    return np.asarray(np.interp(azimuth, HAIRLINE_AZIMUTHS, heights) + receded)


def scalp(positions: Floats, line: HairlineTraits, head: Head, softness: float) -> Float32:
    """Returns the scalp inside a hairline whose edge is 2 * `softness` dm wide."""
    p = mirrored(positions)
    azimuth = np.degrees(np.arctan2(p[..., 0], p[..., 2] - head.texture_axis_z))
    edge = hairline_height(azimuth, line)
    return smooth_step(edge - softness, edge + softness, p[..., 1])


def mirrored(positions: Floats) -> Floats:
    """Returns positions with |x|."""
    return np.concatenate([np.abs(positions[..., :1]), positions[..., 1:]], axis=-1)


def _bump(positions: Floats, centre: Sequence[float], sigma: Sequence[float]) -> Float32:
    """Returns a Gaussian with one sigma per axis, 1 at its centre."""
    distance = (((positions - np.array(centre)) / np.array(sigma)) ** 2).sum(axis=-1)
    return np.asarray(np.exp(-distance / 2), dtype=np.float32)
