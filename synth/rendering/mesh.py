"""The triangles of a picture on the device: the posed head and what is worn, joined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import warp as wp

from synth.rendering.face import Face
from synth.rendering.head import load_head
from synth.rendering.kernels.surface import Mesh
from synth.rendering.kernels.worn import FIRST_WORN_PART, Worn
from synth.rendering.posing import PosedFace
from synth.rendering.worn.mesh import WornMesh

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadArrays:
    """What of a head's mesh does not change from picture to picture, on the device and on the host."""

    triangles: Any
    parts: Any
    rest: Any
    transfer: Any
    cavity: Any
    face: Face


def upload_head(face: Face, device: str) -> HeadArrays:
    """Uploads a face's mesh once for all its pictures."""
    head = load_head()
    return HeadArrays(
        triangles=wp.array(head.triangles, dtype=wp.int32, device=device),
        parts=wp.array(head.parts, dtype=wp.int32, device=device),
        rest=_vectors(head.vertices, device),
        transfer=_numbers(face.transfer, device),
        cavity=_numbers(face.cavity, device),
        face=face,
    )


def join_meshes(head: HeadArrays, posed: PosedFace, worn: list[WornMesh], device: str) -> Any:  # noqa: ANN401
    """Returns the kernels' `Mesh` of the posed head with worn things; `projected` is left to the rasteriser."""
    mesh = Mesh()
    points, normals, smooth = posed.points, posed.normals, posed.smooth_normals
    if worn:
        worn_points = [posed.to_world(piece.vertices).astype(np.float32) for piece in worn]
        worn_normals = [mesh_normals(p, piece.triangles) for p, piece in zip(worn_points, worn, strict=True)]
        points = np.concatenate([points, *worn_points])
        normals = np.concatenate([normals, *worn_normals])
        smooth = np.concatenate([smooth, *worn_normals])
        _add_worn(mesh, head, worn, device)
    else:
        mesh.triangles, mesh.parts, mesh.rest = head.triangles, head.parts, head.rest
        mesh.transfer, mesh.cavity = head.transfer, head.cavity
    mesh.opacities = _numbers(np.array([1.0] * FIRST_WORN_PART + [piece.opacity for piece in worn]), device)
    mesh.points = _vectors(points, device)
    mesh.normals = _vectors(normals, device)
    mesh.smooth_normals = _vectors(smooth, device)
    mesh.projected = wp.empty(len(points), dtype=wp.vec3, device=device)
    return mesh


def worn_materials(worn: list[WornMesh], seed: int, device: str) -> Any:  # noqa: ANN401
    """Returns the kernels' materials of worn things, in the order of their parts."""
    materials = Worn()
    rows = np.array([[*piece.colour, piece.roughness] for piece in worn] or [[0.0] * 4], dtype=np.float32)
    materials.materials = wp.array(rows, dtype=wp.vec4, device=device)
    materials.weaves = _numbers(np.array([piece.weave for piece in worn] or [0.0]), device)
    materials.seed = seed % 99991
    return materials


def mesh_normals(points: Float32, triangles: npt.NDArray[np.int32]) -> Float32:
    """Returns area-weighted unit vertex normals, float32 (V, 3)."""
    a, b, c = (points[triangles[:, corner]] for corner in range(3))
    sums = np.zeros((len(points), 3))
    facing = np.cross(b - a, c - a)
    for corner in range(3):
        np.add.at(sums, triangles[:, corner], facing)
    return np.asarray(sums / (np.linalg.norm(sums, axis=1, keepdims=True) + 1e-12), dtype=np.float32)


def _add_worn(mesh: Any, head: HeadArrays, worn: list[WornMesh], device: str) -> None:  # noqa: ANN401
    """Fills the mesh's fixed arrays with head and worn things."""
    base = load_head()
    counts = [len(piece.vertices) for piece in worn]
    starts = len(base.vertices) + np.cumsum([0, *counts[:-1]])
    triangles = [piece.triangles + start for piece, start in zip(worn, starts, strict=True)]
    parts = [np.full(len(piece.triangles), FIRST_WORN_PART + i) for i, piece in enumerate(worn)]
    total = sum(counts)
    joined_triangles = np.concatenate([base.triangles, *triangles]).astype(np.int32)
    mesh.triangles = wp.array(joined_triangles, dtype=wp.int32, device=device)
    mesh.parts = wp.array(np.concatenate([base.parts, *parts]).astype(np.int32), dtype=wp.int32, device=device)
    mesh.rest = _vectors(np.concatenate([base.vertices, *(piece.vertices for piece in worn)]), device)
    mesh.transfer = _numbers(np.concatenate([head.face.transfer, np.zeros((total, 9))]), device)
    mesh.cavity = _numbers(np.concatenate([head.face.cavity, np.ones(total)]), device)


def _vectors(values: npt.NDArray[Any], device: str) -> Any:  # noqa: ANN401
    return wp.array(np.ascontiguousarray(values, dtype=np.float32), dtype=wp.vec3, device=device)


def _numbers(values: npt.NDArray[Any], device: str) -> Any:  # noqa: ANN401
    return wp.array(np.ascontiguousarray(values, dtype=np.float32), dtype=float, device=device)
