"""Head pose from the five landmarks of a detector, for images whose generator does not know it."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from synth.types import Landmarks

# mm, x to the person's left, y up, z out of the face; eyes, nose, mouth corners, the viewer's left first. The mean head
# of `synth/rendering/assets/head.npz`.
REFERENCE: Final = np.array([[-31, 34, -8], [31, 34, -8], [0, -3, 22], [-25, -33, -3], [25, -33, -3]], dtype=np.float64)


def estimate_pose(landmarks: Landmarks) -> npt.NDArray[np.float64]:
    """Estimates yaw, pitch and roll by fitting the mean head in scaled orthographic projection.

    DeMenthon and Davis (1995), "Model-based object pose in 25 lines of code", the first step (POS). Of one image to the
    next yaw is good and roll is what the eyes show. Pitch is rough: five points cannot tell a long nose from a head
    that looks down, so compare its spread within an identity only.

    Args:
        landmarks: float32 (B, 5, 2), x y in px.

    Returns:
        float64 (B, 3), degrees: yaw, positive to the person's left; pitch, positive up; roll, positive anticlockwise
        in the picture; the head is turned by yaw, then by pitch, then by roll. NaN where landmarks coincide.
    """
    solve = np.linalg.pinv(REFERENCE - REFERENCE.mean(axis=0))
    points = landmarks.astype(np.float64)
    points = (points - points.mean(axis=1, keepdims=True)) * [1, -1]  # y up
    right = _unit(np.einsum("kl,bl->bk", solve, points[..., 0]))
    up = np.einsum("kl,bl->bk", solve, points[..., 1])
    up = _unit(up - (up * right).sum(axis=1, keepdims=True) * right)
    forward = np.cross(right, up)
    yaw = np.arctan2(-forward[:, 0], forward[:, 2])
    pitch = np.arcsin(np.clip(-forward[:, 1], -1, 1))
    roll = np.arctan2(-right[:, 1], up[:, 1])
    angles: npt.NDArray[np.float64] = np.degrees(np.stack([yaw, pitch, roll], axis=1))
    return angles


def _unit(vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    nothing = np.full_like(vectors, np.nan)
    directions: npt.NDArray[np.float64] = np.divide(vectors, lengths, out=nothing, where=lengths > 1e-9)
    return directions
