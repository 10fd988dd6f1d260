"""All hair of a person on the device, posed anew for each picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import warp as wp

from synth.rendering.face import STRAND_POINTS, Face, Strands
from synth.rendering.kernels.hair import Hair
from synth.rendering.kernels.pose import RestStrands, pose_strands
from synth.rendering.kernels.raster import STRAND_STRIDE
from synth.rendering.nuisance import Drift
from synth.rendering.posing import PosedFace

KINDS = ("scalp", "brow", "lash", "beard")


class StrandSet:
    """The strands of a face: uploaded once, with buffers for their pose.

    Attributes:
        count: number of strands; 0 for a person without any.
        widest: dm, of the widest kind of strand.
        widths: device array (count,), dm.
        kinds, ranks: device arrays (count,), position in `KINDS` and rank 0..1.
        points, normals: device arrays (count, S), world frame, filled by `pose`.
        drawn: device array (count,), first visible point plus 1; 0 hides the strand.
    """

    def __init__(self, face: Face, device: str) -> None:
        groups = [group for group in face.strands if len(group.points)]
        self.count = sum(len(group.points) for group in groups)
        self.widest = max((group.width for group in groups), default=1.0)
        self._device = device
        if not self.count:
            return
        assert STRAND_POINTS <= STRAND_STRIDE
        self._rest = _rest_strands(groups, device)
        self.kinds = self._rest.kinds
        self.ranks = self._rest.ranks
        self.widths = _upload(np.concatenate([np.full(len(g.points), g.width) for g in groups]), float, device)
        self._colours = _upload(np.concatenate([g.colours for g in groups]), wp.vec3, device)
        self._occlusion = _upload(np.concatenate([g.occlusion for g in groups]), float, device)
        self._vertex_normals = _upload(face.normals, wp.vec3, device)
        shape = (self.count, STRAND_POINTS)
        self.points = wp.zeros(shape, dtype=wp.vec3, device=device)
        self.normals = wp.zeros(shape, dtype=wp.vec3, device=device)
        self.drawn = wp.zeros(self.count, dtype=wp.int32, device=device)

    def pose(self, posed: PosedFace, cover: Any, densities: npt.NDArray[np.float32]) -> None:  # noqa: ANN401
        """Fills `points`, `normals` and `drawn`.

        Args:
            posed: the head.
            cover: the kernels' `Cover`, what hides hair.
            densities: float32 (4,), share of the strands drawn by kind, in the order of `KINDS`.
        """
        if not self.count:
            return
        vertices = _upload(posed.vertices, wp.vec3, self._device)
        shares = _upload(densities, float, self._device)
        inputs = [self._rest, vertices, self._vertex_normals, shares, cover, posed.body_pose()]
        wp.launch(pose_strands, self.count, inputs, [self.points, self.normals, self.drawn], device=self._device)

    def hair(self, drift: Drift) -> Any:  # noqa: ANN401 (a warp struct)
        """Returns the strands as the shading kernel takes them."""
        hair = Hair()
        hair.gain = wp.vec3(*drift.hair_gain)
        if self.count:
            hair.points, hair.normals = self.points, self.normals
            hair.colours, hair.occlusion, hair.kinds = self._colours, self._occlusion, self.kinds
        return hair


def _rest_strands(groups: list[Strands], device: str) -> Any:  # noqa: ANN401 (a warp struct)
    """Uploads strands of all kinds as one set."""
    rest = RestStrands()
    rest.points = _upload(np.concatenate([group.points for group in groups]), wp.vec3, device)
    rest.normals = _upload(np.concatenate([_normals(group) for group in groups]), wp.vec3, device)
    rest.roots = _upload(np.concatenate([_roots(group) for group in groups]), wp.int32, device)
    rest.root_weights = _upload(np.concatenate([_root_weights(group) for group in groups]), wp.vec3, device)
    rest.lifts = _upload(np.concatenate([np.full(len(g.points), g.lift) for g in groups]), float, device)
    rest.kinds = _upload(
        np.concatenate([np.full(len(g.points), KINDS.index(g.kind)) for g in groups]), wp.int32, device
    )
    rest.ranks = _upload(np.concatenate([group.ranks for group in groups]), float, device)
    return rest


def _normals(group: Strands) -> npt.NDArray[np.float32]:
    return group.normals if group.normals.size else np.zeros_like(group.points)


def _roots(group: Strands) -> npt.NDArray[np.int32]:
    return np.full((len(group.points), 3), -1, np.int32) if group.root_vertices is None else group.root_vertices


def _root_weights(group: Strands) -> npt.NDArray[np.float32]:
    return np.zeros((len(group.points), 3), np.float32) if group.root_weights is None else group.root_weights


def _upload(values: npt.NDArray[Any], dtype: Any, device: str) -> Any:  # noqa: ANN401
    host = np.ascontiguousarray(values, dtype=np.int32 if dtype is wp.int32 else np.float32)
    return wp.array(host, dtype=dtype, device=device)
