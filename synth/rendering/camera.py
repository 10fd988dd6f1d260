"""The camera: a pinhole on the z axis, framed as a portrait or directly on the recogniser's template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from synth.rendering.nuisance import CameraPlacement

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Framing = Literal["portrait", "aligned"]

HEAD_HEIGHT_DM = 2.35
TEMPLATE_SIZE = 112
# ArcFace's five points (Deng et al. 2019, as in insightface): viewer's left eye, right eye, nose, mouth corners; px.
TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """Looks at the world's origin from `distance` dm along +z.

    Attributes:
        distance: dm.
        mapping: float64 (2, 3), maps slopes (x / depth, -y / depth, 1) to px of the picture.
    """

    distance: float
    mapping: Float64

    def project(self, points: npt.NDArray[np.floating]) -> Float64:
        """Returns the px positions, float64 (..., 2), of world points (..., 3)."""
        depth = self.distance - points[..., 2]
        slopes = np.stack([points[..., 0] / depth, -points[..., 1] / depth, np.ones_like(depth)], axis=-1)
        return np.asarray(slopes @ self.mapping.T, dtype=np.float64)

    @property
    def px_per_slope(self) -> float:
        """Size in px of 1 dm at 1 dm depth."""
        return float(np.sqrt(abs(np.linalg.det(self.mapping[:, :2]))))


def rotation(yaw: float, pitch: float, roll: float) -> Float64:
    """Returns the rotation matrix, float64 (3, 3): roll about z after pitch about x after yaw about y; degrees.

    Positive yaw turns the face to +x (the person's left), positive pitch looks up, positive roll turns
    anticlockwise in the picture.
    """
    cy, cp, cr = np.cos(np.radians([yaw, pitch, roll]))
    sy, sp, sr = np.sin(np.radians([yaw, pitch, roll]))
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, sp], [0, -sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray(about_z @ about_x @ about_y, dtype=np.float64)


def camera_for(framing: Framing, size: int, nuisance: CameraPlacement, landmarks: npt.NDArray[np.floating]) -> Camera:
    """Places the camera.

    Args:
        framing: `portrait` has the whole head in the picture; `aligned` composes the camera with the similarity
            transform that puts the five landmarks on the ArcFace template, so that nothing is resampled.
        size: side of the picture, px.
        nuisance: distance, size and place of the head, error of the alignment.
        landmarks: (5, 3), world positions of the five landmarks, dm.
    """
    scale = nuisance.fill * size * nuisance.distance / HEAD_HEIGHT_DM
    centre = size * (0.5 + np.array(nuisance.shift))
    camera = Camera(distance=nuisance.distance, mapping=np.column_stack([np.eye(2) * scale, centre]))
    if framing == "portrait":
        return camera
    aligning = _jittered(similarity(camera.project(landmarks), TEMPLATE * (size / TEMPLATE_SIZE)), size, nuisance)
    full = np.vstack([camera.mapping, [0.0, 0.0, 1.0]])
    return Camera(distance=nuisance.distance, mapping=aligning @ full)


def similarity(source: Float64, target: Float64) -> Float64:
    """Estimates rotation, uniform scale and shift between point sets by least squares (Umeyama 1991).

    In the plane this is complex linear regression: target = a * source + b.

    Returns:
        float64 (2, 3), maps source (N, 2) to target (N, 2).
    """
    z = (source - source.mean(axis=0)) @ np.array([1, 1j])
    w = (target - target.mean(axis=0)) @ np.array([1, 1j])
    factor = np.vdot(z, w) / np.vdot(z, z)
    turn = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    return np.column_stack([turn, target.mean(axis=0) - turn @ source.mean(axis=0)])


def _jittered(aligning: Float64, size: int, nuisance: CameraPlacement) -> Float64:
    """Adds the alignment's error: scale and roll about the picture's centre, then a shift."""
    angle = np.radians(nuisance.alignment_roll)
    turn = nuisance.alignment_scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = np.full(2, size / 2)
    shift = np.array(nuisance.alignment_shift_px) * (size / TEMPLATE_SIZE)
    error = np.column_stack([turn, centre - turn @ centre + shift])
    return np.asarray(error @ np.vstack([aligning, [0.0, 0.0, 1.0]]), dtype=np.float64)
