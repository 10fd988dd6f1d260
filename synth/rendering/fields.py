"""Smooth deformation fields beyond MakeHuman's controls: most of what makes identities differ lives here.

Artists' sliders alone span too few faces for a recogniser. Three families are added, all mirrored at x = 0 with an x
component that fades to 0 at the midline, so that the two halves never come apart:
    local        Gaussian bumps with a fixed random direction, dense around nose, mouth, brow ridge and jaw; the corners
                 of the mouth keep their place
    proportions  lengths and widths of the thirds of a face
    eyes         place and size of the eyes, eyeballs and lids together
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from synth.rendering.head import Head, load_head
from synth.rendering.prior import IdentityPrior
from synth.rendering.regions import smooth_step

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

FIELD_SEED = 5
MOUTH_REACH = 0.16  # dm, around the corner of the mouth
MIDLINE_FADE = 0.18  # dm, where the x component reaches full strength

# name -> (number of fields, strength, mean x, mean y, spread x, spread y, smallest sigma, largest sigma); dm
LOCAL_REGIONS = {
    "nose": (22, 1.0, 0.06, 6.98, 0.08, 0.16, 0.085, 0.17),
    "mouth": (18, 1.0, 0.10, 6.63, 0.12, 0.08, 0.08, 0.20),
    "jaw": (18, 0.55, 0.32, 6.42, 0.22, 0.14, 0.14, 0.34),
    "brow ridge": (14, 1.0, 0.26, 7.50, 0.18, 0.06, 0.10, 0.22),
    "cheek": (14, 1.0, 0.46, 6.95, 0.12, 0.18, 0.12, 0.30),
    "forehead": (8, 1.0, 0.25, 7.80, 0.20, 0.14, 0.18, 0.34),
    "anywhere": (10, 1.0, 0.25, 7.05, 0.25, 0.45, 0.16, 0.34),
}
PROPORTIONS = {  # name -> (axis, centre height, width of the bump in height, dm at one sd)
    "width at temples": (0, 7.70, 0.28, 0.030),
    "width at cheekbones": (0, 7.10, 0.20, 0.035),
    "width at jaw": (0, 6.50, 0.20, 0.045),
    "length of forehead": (1, 7.95, 0.35, 0.050),
    "length of nose": (1, 6.85, 0.14, 0.020),
    "height of mouth": (1, 6.62, 0.16, 0.020),
    "length of chin": (1, 6.28, 0.16, 0.050),
    "depth of the midface": (2, 7.00, 0.26, 0.045),
    "depth of the chin": (2, 6.38, 0.16, 0.045),
    "depth of the forehead": (2, 7.70, 0.24, 0.035),
}
EYES = {"distance": 0.012, "height": 0.010, "depth": 0.026, "size": 0.080, "slant": 0.12, "opening": 0.13}
FIELD_COUNT = sum(region[0] for region in LOCAL_REGIONS.values()) + len(PROPORTIONS) + len(EYES)


def field_offset(coefficients: Float64, prior: IdentityPrior) -> Float32:
    """Returns what the fields add to the vertices, float32 (V, 3), dm.

    Args:
        coefficients: float64 (n,), mean 0 and variance 1 over people, n >= FIELD_COUNT.
        prior: `field_spread`, `proportion_spread`, `eye_spread` scale the three families.
    """
    basis, families = _basis()
    spread = np.array([prior.field_spread, prior.proportion_spread, prior.eye_spread])[families]
    weights = (coefficients[: len(basis)] * spread).astype(np.float32)
    offset: Float32 = (weights @ basis).reshape(-1, 3)
    return offset


@cache
def _basis() -> tuple[Float32, npt.NDArray[np.int64]]:
    """Returns the fields at one standard deviation, float32 (FIELD_COUNT, V * 3), and the family of each."""
    head = load_head()
    families = [_local_fields(head), _proportion_fields(head), _eye_fields(head)]
    basis = np.concatenate([family.reshape(len(family), -1) for family in families]).astype(np.float32)
    return basis, np.repeat(np.arange(3), [len(family) for family in families])


def _fade_midline(fields: Float64, x: Float32) -> Float64:
    """Makes the x components odd in x, with no step at x = 0."""
    fields[:, :, 0] *= np.clip(x / MIDLINE_FADE, -1.0, 1.0)
    return fields


def _local_fields(head: Head) -> Float64:
    """Returns Gaussian bumps on the face, kept off eyes, lids and ears, float64 (n, V, 3)."""
    rng = np.random.default_rng(FIELD_SEED)
    mirrored = np.abs(head.vertices[:, 0])
    y = head.vertices[:, 1]
    mask = _face_mask(head)
    fields = []
    for count, strength, mean_x, mean_y, spread_x, spread_y, smallest, largest in LOCAL_REGIONS.values():
        for _ in range(count):
            x0 = abs(rng.normal(mean_x, spread_x))
            y0 = rng.normal(mean_y, spread_y)
            sigma = np.exp(rng.uniform(np.log(smallest), np.log(largest)))
            bump = mask * np.exp(-((mirrored - x0) ** 2 + (y - y0) ** 2) / (2 * sigma**2))
            direction = rng.standard_normal(3) * [0.6, 0.6, 0.8]
            fields.append(strength * bump[:, None] * direction * (sigma / 0.18) ** 0.8)
    return _keep_mouth(_fade_midline(np.array(fields), head.vertices[:, 0]) * 0.2, head)


def _keep_mouth(fields: Float64, head: Head) -> Float64:
    """Takes back what fields do to width and height of the mouth, which would vary three times as much as people's."""
    left = head.landmark_vertices[2]
    corner = head.vertices[left]
    sideways = head.vertices[:, 0] / corner[0]
    away = (np.abs(sideways) - 1) * corner[0], head.vertices[:, 1] - corner[1]
    near = np.exp(-(away[0] ** 2 + away[1] ** 2) / (2 * MOUTH_REACH**2)) * (head.vertices[:, 2] > 0)
    fields[:, :, 0] -= fields[:, left, 0, None] * near * np.clip(sideways, -1, 1)
    fields[:, :, 1] -= fields[:, left, 1, None] * near
    return fields


def _face_mask(head: Head) -> Float32:
    """Returns 1 on the face, fading out towards hairline, neck, back, ears and eyes, float32 (V,)."""
    _, y, z = head.vertices.T
    mask = smooth_step(6.05, 6.4, y) * smooth_step(8.15, 7.75, y) * smooth_step(0.35, 0.95, z) * (head.ears < 0.3)
    for ids, centre in zip(head.eye_vertices, head.eye_centres, strict=True):
        distance = ((head.vertices - centre) / [0.24, 0.17, 0.4]) ** 2
        mask = mask * (1.0 - 0.85 * np.exp(-distance.sum(axis=1)))
        mask[ids] = 0.0
    return head.smooth(mask.astype(np.float32), 2)


def _proportion_fields(head: Head) -> Float64:
    """Returns bumps in height that stretch the whole width of the head, float64 (n, V, 3)."""
    x, y, z = head.vertices.T
    front = smooth_step(-0.2, 0.9, z)
    fields = np.zeros((len(PROPORTIONS), len(y), 3))
    for field, (axis, height, width, size) in zip(fields, PROPORTIONS.values(), strict=True):
        bump = np.exp(-(((y - height) / width) ** 2) / 2)
        if axis == 0:
            field[:, 0] = size * bump * x / 0.6
        else:
            field[:, axis] = size * bump * front
    return fields


def _eye_fields(head: Head) -> Float64:
    """Returns fields that move, scale and tilt the surroundings of both eyes, float64 (n, V, 3)."""
    fields = np.zeros((len(EYES), len(head.vertices), 3))
    for centre, ids in zip(head.eye_centres, head.eye_vertices, strict=True):
        side = np.sign(centre[0])
        away = head.vertices - centre
        reach = np.linalg.norm(away / [1.0, 0.9, 1.4], axis=1)
        near = smooth_step(0.40, 0.16, reach)
        near[ids] = 1.0
        lids = near * head.skin
        fields[0, :, 0] += EYES["distance"] * side * near
        fields[1, :, 1] += EYES["height"] * near
        fields[2, :, 2] += EYES["depth"] * near
        fields[3] += EYES["size"] * near[:, None] * away
        fields[4, :, 1] += EYES["slant"] * side * away[:, 0] * lids
        fields[5, :, 1] += EYES["opening"] * away[:, 1] * lids * smooth_step(0.18, 0.08, np.abs(away[:, 1]))
    return fields
