"""A built identity: everything the image side of the renderer needs to know of a person.

Head frame: MakeHuman's, decimetres, x to the person's left, y up, z forwards out of the face; eyes at about
(+-0.31, 7.28, 1.3). Legend: V vertices, F triangles, N strands, S points a strand, (TH, TW) texture rows, columns.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]

STRAND_POINTS = 10  # S, the same for all kinds of hair, so that one launch draws them all


@dataclass(frozen=True, slots=True, kw_only=True)
class Strands:
    """One kind of hair.

    Scalp hair is rigid: `points` are positions in the head frame. Brows, lashes and beard grow on skin that
    moves with the expression: `points` are offsets from the root, the root is
    `roots_weights @ vertices[roots_vertices]`, pushed out by `lift` along the normal there.

    Attributes:
        kind: what grows.
        points: float32 (N, S, 3), dm; positions (scalp) or offsets from the root (others).
        normals: float32 (N, S, 3), unit, of the surface below; for attached kinds recomputed at the root if empty.
        colours: float32 (N, 3), linear RGB albedo, 0..1.
        occlusion: float32 (N, S), ambient visibility, 0..1.
        width: dm, of a strand.
        ranks: float32 (N,), 0..1; a strand is drawn where its rank < the sample's density.
        root_vertices: int32 (N, 3) into the vertices; None for scalp hair.
        root_weights: float32 (N, 3), sum to 1; None for scalp hair.
        lift: dm.
    """

    kind: Literal["scalp", "brow", "lash", "beard"]
    points: Float32
    normals: Float32
    colours: Float32
    occlusion: Float32
    width: float
    ranks: Float32
    root_vertices: npt.NDArray[np.int32] | None = None
    root_weights: Float32 | None = None
    lift: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RadialMap:
    """Distance from a centre to the outer skin in every direction; carries hair collision, hats and masks.

    Attributes:
        centre: float32 (3,), dm, head frame.
        radii: float32 (48, 96), dm; rows polar angle from +y (0..pi), columns azimuth from -pi to pi, 0 = +z.
    """

    centre: Float32
    radii: Float32


@dataclass(frozen=True, slots=True, kw_only=True)
class Eyes:
    """Colours and sizes of the eyes.

    Attributes:
        iris: float32 (3,), linear RGB.
        iris_inner: float32 (3,), linear RGB.
        iris_radius: angle from the eyeball's centre, radians.
        pattern: float32 (3,), offset of the iris pattern in its noise field.
    """

    iris: Float32
    iris_inner: Float32
    iris_radius: float
    pattern: Float32


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """A person in neutral expression, in the head frame, with everything baked that depends on identity alone.

    Attributes:
        vertices: float32 (V, 3), dm.
        normals: float32 (V, 3), unit.
        transfer: float32 (V, 9), radiance transfer in real spherical harmonics (Sloan et al. 2002), in the head frame.
        cavity: float32 (V,), 0 (deep) .. 1 (open).
        albedo: warp array of vec3, (TH * TW,), linear RGB; cylindrical texture of `head.Head.texture_*`.
        relief: warp array of vec2, (TH * TW,), height (dm / bump scale) and roughness 0..1.
        texture_shape: (TH, TW).
        strands: scalp, two brows, lashes, beard.
        radial: distance map of the head, without hair.
        eyes: colours of the eyes.
        teeth: float32 (3,), linear RGB.
        attributes: what the vector says about the person, for truth columns: age_years, male (0..1),
            african, asian, caucasian (sum 1), skin_tone (ITA degrees), melanin (0..1), beard, hair style, ... .
    """

    vertices: Float32
    normals: Float32
    transfer: Float32
    cavity: Float32
    albedo: Any
    relief: Any
    texture_shape: tuple[int, int]
    strands: tuple[Strands, ...]
    radial: RadialMap
    eyes: Eyes
    teeth: Float32
    attributes: Any
