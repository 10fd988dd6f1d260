"""The head that all identities are shaped from: mesh, parts, targets and the expressions.

Frame: MakeHuman's, decimetres, x to the person's left, y up, z forwards. Legend: V vertices, F triangles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from scipy import sparse

Float32 = npt.NDArray[np.float32]
Indices = npt.NDArray[np.int32]

ASSET = Path(__file__).parent / "assets" / "head.npz"
MOUTH_CORNER = np.array([0.249, 6.612, 1.426])  # dm, where the red of both lips meets on the rest head
INT16_ONE = 32767  # the integer that stands for 1.0 in the stored targets

SKIN, LEFT_EYE, RIGHT_EYE, UPPER_TEETH, LOWER_TEETH, TONGUE = range(6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The rest head and its linear shape targets.

    Attributes:
        vertices: float32 (V, 3), dm; the rest shape, which also is the domain of all textures and root sets.
        triangles: int32 (F, 3), counter-clockwise seen from outside.
        parts: int32 (F,), SKIN .. TONGUE.
        skin: bool (V,), vertices of the skin.
        lips: float32 (V,), 0..1, soft.
        ears: float32 (V,), 0..1.
        eye_vertices: vertices of the left (+x) and the right eyeball.
        eye_centres: float32 (2, 3), dm, of the rest eyeballs, left one first.
        eye_radius: dm.
        lashes: vertices of the four eyelash strips: left_lower, left_upper, right_lower, right_upper.
        target_names: name of each target; see assets/build_head_asset.py.
        targets: float32 (T, V * 3), dm.
        landmark_vertices: int32 (3,), tip of the nose, right and left corner of the mouth; with the eyeballs' centres
            they are the five points of the ArcFace template.
        texture_bottom, texture_top, texture_axis_z: dm; the texture is cylindrical: column u = atan2(x, z -
            texture_axis_z) / 2 pi + 1/2, row v = (y - texture_bottom) / (texture_top - texture_bottom), both of the
            *rest* position and in 0..1, pixel centres at +1/2.
    """

    vertices: Float32
    triangles: Indices
    parts: Indices
    skin: npt.NDArray[np.bool_]
    lips: Float32
    ears: Float32
    eye_vertices: tuple[Indices, Indices]
    eye_centres: Float32
    eye_radius: float
    lashes: Mapping[str, Indices]
    target_names: tuple[str, ...]
    targets: Float32
    landmark_vertices: Indices
    _target_rows: Mapping[str, int]
    _neighbours: Any
    _corner_sums: Any

    texture_bottom: ClassVar[float] = 6.0
    texture_top: ClassVar[float] = 8.52
    texture_axis_z: ClassVar[float] = 0.45

    @property
    def unit_names(self) -> tuple[str, ...]:
        """Names of the 52 face units that `expression_offset` knows, like 'jawOpen'."""
        return tuple(name.removeprefix("unit/") for name in self.target_names if name.startswith("unit/"))

    @property
    def skin_triangles(self) -> Indices:
        """Triangles of the skin, int32 (n, 3)."""
        triangles: Indices = self.triangles[self.parts == SKIN]
        return triangles

    def offset(self, coefficients: Mapping[str, float]) -> Float32:
        """Returns the weighted sum of targets by name, float32 (V, 3), dm.

        Raises:
            KeyError: a target does not exist.
        """
        if not coefficients:
            return np.zeros_like(self.vertices)
        rows = [self._target_rows[name] for name in coefficients]
        weights = np.fromiter(coefficients.values(), dtype=np.float32, count=len(rows))
        offset: Float32 = (weights @ self.targets[rows]).reshape(-1, 3)
        return offset

    def expression_offset(self, activations: Mapping[str, float]) -> Float32:
        """Returns what an expression adds to the vertices, float32 (V, 3), dm; the eyeballs stay.

        Args:
            activations: strength of face units by name, 0..1 (a little more exaggerates).

        Raises:
            ValueError: a face unit does not exist; the message lists the known ones.
        """
        unknown = sorted(name for name in activations if f"unit/{name}" not in self._target_rows)
        if unknown:
            raise ValueError(f"activations: no face unit {unknown[0]!r}; known are {', '.join(self.unit_names)}")
        return self.offset({f"unit/{name}": value for name, value in activations.items()})

    def vertex_normals(self, vertices: Float32) -> Float32:
        """Returns unit normals, float32 (V, 3), area-weighted over the triangles around each vertex.

        Args:
            vertices: float32 (V, 3).
        """
        a, b, c = (vertices[self.triangles[:, corner]] for corner in range(3))
        sums = self._corner_sums @ np.cross(b - a, c - a)
        normals: Float32 = (sums / (np.linalg.norm(sums, axis=1, keepdims=True) + 1e-9)).astype(np.float32)
        return normals

    def smooth(self, values: Float32, rounds: int) -> Float32:
        """Returns values averaged over neighbours on the skin `rounds` times; other parts keep theirs.

        Args:
            values: float32 (V,) or (V, K).
            rounds: 0 returns `values`.
        """
        for _ in range(rounds):
            values = self._neighbours @ values
        return values

    def eyeball_centres(self, vertices: Float32) -> Float32:
        """Returns the centres of the two eyeballs of a shape, float32 (2, 3), left (+x) one first."""
        return np.stack([vertices[ids].mean(axis=0) for ids in self.eye_vertices]).astype(np.float32)

    def landmarks(self, vertices: Float32) -> Float32:
        """Returns the five ArcFace points, float32 (5, 3): eyes, nose tip, mouth corners; the viewer's left first.

        The viewer's left is the person's right (-x).
        """
        left, right = self.eyeball_centres(vertices)
        return np.concatenate([[right, left], vertices[self.landmark_vertices]]).astype(np.float32)


@cache
def load_head() -> Head:
    """Returns the head, read once per process."""
    with np.load(ASSET, allow_pickle=False) as file:
        stored = dict(file)
    vertices = stored["base"]
    triangles = stored["triangles"].astype(np.int32)
    parts = stored["parts"].astype(np.int32)
    names = tuple(str(name) for name in stored["target_names"])
    targets = stored["deltas"].astype(np.float32) * (stored["scales"] / INT16_ONE)[:, None, None]
    left, right = (np.unique(triangles[parts == part]).astype(np.int32) for part in (LEFT_EYE, RIGHT_EYE))
    centres = np.stack([vertices[left].mean(axis=0), vertices[right].mean(axis=0)])
    skin = np.zeros(len(vertices), dtype=bool)
    skin[triangles[parts == SKIN]] = True
    neighbours = _neighbour_average(triangles[parts == SKIN], len(vertices))
    return Head(
        vertices=vertices,
        triangles=triangles,
        parts=parts,
        skin=skin,
        lips=neighbours @ stored["lips"],
        ears=stored["ears"],
        eye_vertices=(left, right),
        eye_centres=centres,
        eye_radius=float(np.linalg.norm(vertices[left] - centres[0], axis=1).mean()),
        lashes={name.removeprefix("lash_"): ids.astype(np.int32) for name, ids in stored.items() if "lash_" in name},
        target_names=names,
        targets=targets.reshape(len(names), -1),
        landmark_vertices=_find_landmarks(vertices, skin),
        _target_rows={name: row for row, name in enumerate(names)},
        _neighbours=neighbours,
        _corner_sums=_corner_sums(triangles, len(vertices)),
    )


def _find_landmarks(vertices: Float32, skin: npt.NDArray[np.bool_]) -> Indices:
    """Finds the tip of the nose (foremost on the midline) and the corners of the mouth (nearest to where they are)."""
    x, y, z = vertices.T
    midline = skin & (np.abs(x) < 1e-3) & (y > 6.7) & (y < 7.2)
    tip = np.argmax(np.where(midline, z, -np.inf))
    right, left = (
        np.argmin(np.where(skin, np.linalg.norm(vertices - MOUTH_CORNER * mirror, axis=1), np.inf))
        for mirror in ([-1, 1, 1], [1, 1, 1])
    )
    return np.array([tip, right, left], dtype=np.int32)


def _neighbour_average(triangles: Indices, count: int) -> Any:  # noqa: ANN401 (a scipy sparse array)
    """Returns the (V, V) matrix that averages a vertex (counted twice) with its neighbours."""
    a, b, c = triangles.T
    rows = np.concatenate([a, b, c, b, c, a])
    columns = np.concatenate([b, c, a, a, b, c])
    adjacency = sparse.coo_array((np.ones(len(rows)), (rows, columns)), shape=(count, count)).tocsr()
    adjacency.data[:] = 1.0  # an inner edge was counted from both of its triangles
    weighted = adjacency + 2.0 * sparse.eye_array(count)
    degree = np.asarray(weighted.sum(axis=1)).ravel()
    return (sparse.diags_array(1.0 / degree) @ weighted).tocsr().astype(np.float32)


def _corner_sums(triangles: Indices, count: int) -> Any:  # noqa: ANN401 (a scipy sparse array)
    """Returns the (V, F) matrix that sums a quantity of triangles at their corners."""
    columns = np.tile(np.arange(len(triangles)), 3)
    ones = np.ones(3 * len(triangles), dtype=np.float32)
    return sparse.coo_array((ones, (triangles.T.ravel(), columns)), shape=(count, len(triangles))).tocsr()
