"""Builds a person from an identity vector: the one entry of the identity side of the renderer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synth.rendering.appearance import bake_skin
from synth.rendering.attributes import Attributes
from synth.rendering.beard import grow_beard
from synth.rendering.brows import grow_brows
from synth.rendering.decoding import decode_attributes
from synth.rendering.face import Eyes, Face
from synth.rendering.hair import grow_hair
from synth.rendering.head import load_head
from synth.rendering.kernels.raycast import build_mesh
from synth.rendering.lashes import grow_lashes
from synth.rendering.morph import shape_vertices
from synth.rendering.prior import DEFAULT_PRIOR, IdentityPrior
from synth.rendering.radial import build_radial_map
from synth.rendering.transfer import cavity, radiance_transfer

Float32 = npt.NDArray[np.float32]

SMALL_PICTURE = 160  # px; up to here the coarse level of detail shows no difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """How finely a person is built.

    Attributes:
        texture_shape: (TH, TW).
        rays: directions cast from each vertex for self-shadowing.
        hair_share: 0..1, of the strands; what is left out is made up for in width.
        brow_share: 0..1, the same for brows, lashes and beards.
    """

    texture_shape: tuple[int, int]
    rays: int
    hair_share: float
    brow_share: float


COARSE = Detail(texture_shape=(320, 512), rays=48, hair_share=0.6, brow_share=0.6)
FINE = Detail(texture_shape=(640, 1024), rays=96, hair_share=1.0, brow_share=1.0)


def detail_for(size: int) -> Detail:
    """Returns the level of detail for pictures of `size` x `size` px."""
    return COARSE if size <= SMALL_PICTURE else FINE


def build_face(vector: Float32, *, size: int = 112, device: str = "cpu", prior: IdentityPrior = DEFAULT_PRIOR) -> Face:
    """Returns the person a vector stands for, ready to be rendered many times.

    Args:
        vector: float32 (512,); only its direction counts. Close vectors give people who look alike.
        size: px, side of the pictures to be made.
        device: Warp device of the textures.
        prior: how widely people spread.

    Raises:
        ValueError: the vector has another shape, is zero or not finite.
    """
    head = load_head()
    detail = detail_for(size)
    person = decode_attributes(vector, prior)
    vertices = shape_vertices(person, prior)
    normals = head.vertex_normals(vertices)
    skin_mesh = build_mesh(vertices, head.skin_triangles, device)
    transfer = radiance_transfer(vertices, normals, skin_mesh, detail.rays)
    radial = build_radial_map(vertices, skin_mesh)
    albedo, relief = bake_skin(person, detail.texture_shape, device)
    scalp = grow_hair(person, vertices, normals, radial, detail.hair_share)
    beard = grow_beard(person, normals, detail.brow_share)
    lashes = grow_lashes(person, detail.brow_share)
    strands = (scalp, *grow_brows(person, detail.brow_share), lashes, *([beard] if beard else []))
    return Face(
        vertices=vertices,
        normals=normals,
        transfer=transfer,
        cavity=cavity(transfer),
        albedo=albedo,
        relief=relief,
        texture_shape=detail.texture_shape,
        strands=strands,
        radial=radial,
        eyes=_eyes(person),
        teeth=person.teeth.astype(np.float32),
        attributes=person,
    )


def _eyes(person: Attributes) -> Eyes:
    return Eyes(
        iris=person.eyes.iris.astype(np.float32),
        iris_inner=person.eyes.iris_inner.astype(np.float32),
        iris_radius=person.eyes.iris_radius,
        pattern=person.eyes.pattern.astype(np.float32),
    )
