"""A worn thing as triangles with one material, and the two ways such triangles are made: tubes and sheets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int32]

SMOOTH, KNIT, WOVEN = 0.0, 1.0, 2.0
TUBE_SIDES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class WornMesh:
    """One worn thing.

    Attributes:
        vertices: float32 (V, 3), dm, head frame.
        triangles: int32 (F, 3).
        colour: linear RGB albedo, (3,).
        roughness: 0..1; below 0.6 it shines.
        weave: SMOOTH, KNIT or WOVEN.
        opacity: 0..1, share of a pixel's samples it takes where it is in front.
    """

    vertices: Float32
    triangles: Indices
    colour: Float64
    roughness: float
    weave: float = SMOOTH
    opacity: float = 1.0


def joined(pieces: list[tuple[Float64, Indices]]) -> tuple[Float32, Indices]:
    """Returns one vertex and one triangle array for several pieces."""
    starts = np.cumsum([0] + [len(vertices) for vertices, _ in pieces[:-1]])
    triangles = [triangles + start for (_, triangles), start in zip(pieces, starts, strict=True)]
    vertices = np.concatenate([vertices for vertices, _ in pieces]).astype(np.float32)
    return vertices, np.concatenate(triangles).astype(np.int32)


def tube(path: Float64, radius: float, *, closed: bool) -> tuple[Float64, Indices]:
    """Returns a tube around a path.

    Args:
        path: float64 (N, 3), dm.
        radius: dm.
        closed: the last point joins the first.
    """
    along = np.roll(path, -1, axis=0) - np.roll(path, 1, axis=0)
    if not closed:
        along[0], along[-1] = path[1] - path[0], path[-1] - path[-2]
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    aside = np.cross(along, [0.0, 0.1, 1.0] if closed else [0.0, 1.0, 0.1])
    aside /= np.linalg.norm(aside, axis=1, keepdims=True)
    across = np.cross(along, aside)
    angle = np.arange(TUBE_SIDES) / TUBE_SIDES * 2 * np.pi
    ring = aside[:, None] * np.cos(angle)[:, None] + across[:, None] * np.sin(angle)[:, None]
    vertices = (path[:, None] + radius * ring).reshape(-1, 3)
    return vertices, sheet_triangles(len(path), TUBE_SIDES, wrap_rows=closed, wrap_columns=True)


def sheet_triangles(rows: int, columns: int, *, wrap_rows: bool = False, wrap_columns: bool = False) -> Indices:
    """Returns the triangles of a grid of vertices, row-major; a wrapped side joins its other end."""
    row, column = np.meshgrid(
        np.arange(rows if wrap_rows else rows - 1), np.arange(columns if wrap_columns else columns - 1), indexing="ij"
    )
    below, right = (row + 1) % rows, (column + 1) % columns
    a, b = row * columns + column, row * columns + right
    c, d = below * columns + right, below * columns + column
    triangles = np.stack([np.stack([a, b, c], axis=-1), np.stack([a, c, d], axis=-1)])
    return triangles.reshape(-1, 3).astype(np.int32)
