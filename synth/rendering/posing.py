"""A face in a pose: expression, age drift, and the turn of head and torso, in the world frame.

World frame: the head's centre is the origin, the camera looks along -z, x to the right of the picture, y up; dm.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import warp as wp

from synth.rendering.attributes import OLD_YEARS, YOUNG_YEARS, Attributes
from synth.rendering.camera import rotation
from synth.rendering.face import Face
from synth.rendering.head import Head, load_head
from synth.rendering.kernels.pose import BodyPose
from synth.rendering.nuisance import Nuisance

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

HEAD_CENTRE = np.array([0.0, -0.25, -0.35])  # dm, from between the eyes
NECK = np.array([0.0, -0.75, -0.45])  # dm, from the head's centre: where the head turns
NORMAL_SMOOTHING = 5  # rounds, for light that spreads below the skin


@dataclass(frozen=True, slots=True, kw_only=True)
class PosedFace:
    """The head's mesh in its pose.

    Attributes:
        vertices: float32 (V, 3), with expression, head frame.
        points: float32 (V, 3), world frame.
        normals: float32 (V, 3), unit.
        smooth_normals: float32 (V, 3), unit, of the skin without its detail.
        head: float64 (3, 3), head to world.
        torso: float64 (3, 3), torso to world.
        pivot: float64 (3,), head frame.
        shift: float64 (3,), world frame.
        eyes: float64 (2, 3), centres of the eyeballs, world frame, left one first.
        landmarks: float64 (5, 3), the ArcFace points on the surface, world frame, viewer's left first.
    """

    vertices: Float32
    points: Float32
    normals: Float32
    smooth_normals: Float32
    head: Float64
    torso: Float64
    pivot: Float64
    shift: Float64
    eyes: Float64
    landmarks: Float64

    def to_world(self, vertices: npt.NDArray[np.floating]) -> Float64:
        """Returns head-frame points (N, 3) that move with the head, float64, world frame."""
        return np.asarray((vertices - self.pivot) @ self.head.T - self.shift, dtype=np.float64)

    def body_pose(self) -> Any:  # noqa: ANN401 (a warp struct)
        """Returns the pose as the kernels take it."""
        body = BodyPose()
        body.head = wp.mat33(*self.head.ravel())
        body.torso = wp.mat33(*self.torso.ravel())
        body.pivot = wp.vec3(*self.pivot)
        body.shift = wp.vec3(*self.shift)
        return body


def pose_face(face: Face, nuisance: Nuisance) -> PosedFace:
    """Poses a face.

    Args:
        face: the person.
        nuisance: expression, pose and age drift.
    """
    head = load_head()
    vertices = face.vertices + head.expression_offset(nuisance.expression.activations)
    vertices = vertices + head.offset(_ageing(face.attributes, face.attributes.ageing(nuisance.drift.age_years)))
    for ids in head.eye_vertices:
        vertices[ids] = face.vertices[ids]
    eyes = head.eyeball_centres(vertices).astype(np.float64)
    pose = nuisance.pose
    turned = rotation(pose.yaw, pose.pitch, pose.roll)
    torso = rotation(0.55 * pose.yaw, 0.2 * pose.pitch, 0.2 * pose.roll)
    centre = eyes.mean(axis=0) * np.array([0, 1, 1]) + HEAD_CENTRE
    pivot = centre + NECK
    shift = turned @ (centre - pivot)
    arms = vertices - pivot.astype(np.float32)
    follow = _head_follow()
    points = follow * (arms @ turned.T.astype(np.float32)) + (1 - follow) * (arms @ torso.T.astype(np.float32))
    points -= shift.astype(np.float32)
    normals = head.vertex_normals(points)
    smooth = head.smooth(normals, NORMAL_SMOOTHING)
    smooth = smooth / (np.linalg.norm(smooth, axis=1, keepdims=True) + 1e-9)
    landmarks = head.landmarks(vertices).astype(np.float64)
    landmarks[:2, 2] += 0.9 * head.eye_radius  # the pupils, not the eyeballs' centres

    def to_world(values: Float64) -> Float64:
        return np.asarray((values - pivot) @ turned.T - shift, dtype=np.float64)

    return PosedFace(
        vertices=vertices.astype(np.float32),
        points=points.astype(np.float32),
        normals=normals,
        smooth_normals=smooth.astype(np.float32),
        head=turned,
        torso=torso,
        pivot=pivot,
        shift=shift,
        eyes=to_world(eyes),
        landmarks=to_world(landmarks),
    )


def smoothstep(low: float, high: float, values: Float32) -> Float32:
    """Returns the cubic step from 0 at `low` to 1 at `high`."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), dtype=np.float32)


@cache
def _head_follow() -> Float32:
    """Returns how much each vertex turns with the head, float32 (V, 1): 1 on the head, 0 on the shoulders."""
    head: Head = load_head()
    y, z = head.vertices[:, 1], head.vertices[:, 2]
    neck = smoothstep(5.75, 6.35, y)
    chin = smoothstep(5.95, 6.2, y) * smoothstep(0.5, 0.9, z)
    follow: Float32 = np.maximum(neck, chin)[:, None]
    return follow


def _ageing(person: Attributes, years: float) -> dict[str, float]:
    """Returns the weights of the shape targets for growing older by `years`; negative is younger."""
    share = years / (OLD_YEARS - YOUNG_YEARS)
    ancestries = {"african": person.african, "asian": person.asian, "caucasian": person.caucasian}
    weights = {}
    for ancestry, part in ancestries.items():
        for sex, weight in (("male", person.male), ("female", 1 - person.male)):
            weights[f"ancestry/{ancestry}/{sex}/old"] = share * part * weight
            weights[f"ancestry/{ancestry}/{sex}/young"] = -share * part * weight
    return weights
