"""Glasses: two rims, a bridge and two temples; dark lenses make sunglasses."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synth.rendering.head import Head
from synth.rendering.palette import random_colour
from synth.rendering.worn.mesh import Float64, WornMesh, joined, sheet_triangles, tube

RIM_POINTS = 40
LENS_RINGS = 3
LENS_OPACITY = (0.5, 1.0)  # of sunglasses, from fashion tints to black


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Half sizes of a lens (dm), its squareness (power of a superellipse), wire radius (dm)."""

    half_width: float
    half_height: float
    squareness: float
    wire: float


def make_glasses(
    head: Head, vertices: npt.NDArray[np.float32], rng: np.random.Generator, *, dark: bool
) -> list[WornMesh]:
    """Returns a pair of glasses on a face.

    Args:
        head: the head's topology.
        vertices: float32 (V, 3), the face, dm, head frame.
        rng: of shape and colour.
        dark: whether the lenses are tinted.
    """
    frame = Frame(
        half_width=0.27 * rng.uniform(0.92, 1.12),
        half_height=0.19 * rng.uniform(0.8, 1.2),
        squareness=float(rng.choice([2.2, 3.0, 4.5])),
        wire=float(rng.choice([0.008, 0.012, 0.020])),
    )
    centres = head.eyeball_centres(vertices)
    nose_root = _foremost(head, vertices, (centres[0] + centres[1]) / 2)
    plane = max(float(centres[:, 2].max()) + head.eye_radius + 0.09, nose_root - 0.02)
    pieces, lenses, inner_ends = [], [], []
    for side, centre in zip((1.0, -1.0), centres, strict=True):
        rim = _rim(centre, side, plane, frame)
        pieces += [tube(rim, frame.wire, closed=True), _temple(head, vertices, rim, side, centre, frame)]
        lenses.append(_lens(rim))
        inner_ends.append(rim[np.argmin(rim[:, 0] * side)])
    pieces.append(_bridge(inner_ends[0], inner_ends[1], frame))
    dull = rng.random() < 0.6
    colour = np.array([0.015, 0.013, 0.012]) if dull else random_colour(rng, 20, 180)
    frame_vertices, frame_triangles = joined(pieces)
    worn = [WornMesh(vertices=frame_vertices, triangles=frame_triangles, colour=colour, roughness=0.3)]
    if dark:
        lens_vertices, lens_triangles = joined(lenses)
        tint = np.array([0.010, 0.010, 0.012]) * rng.uniform(0.5, 3.0)
        opacity = rng.uniform(*LENS_OPACITY)
        worn.append(
            WornMesh(vertices=lens_vertices, triangles=lens_triangles, colour=tint, roughness=0.15, opacity=opacity)
        )
    return worn


def _foremost(head: Head, vertices: npt.NDArray[np.float32], centre: npt.NDArray[np.float32]) -> float:
    """Returns the z of the skin between the eyes, where the bridge rests."""
    near = head.skin & (np.abs(vertices[:, 0]) < 0.06) & (np.abs(vertices[:, 1] - centre[1]) < 0.1)
    return float(vertices[near, 2].max())


def _rim(centre: npt.NDArray[np.float32], side: float, plane: float, frame: Frame) -> Float64:
    """Returns the rim's path: a superellipse bent around the face."""
    t = np.linspace(0, 2 * np.pi, RIM_POINTS, endpoint=False)
    power = 2 / frame.squareness
    x = centre[0] + side * 0.03 + frame.half_width * np.sign(np.cos(t)) * np.abs(np.cos(t)) ** power
    y = centre[1] - 0.03 + frame.half_height * np.sign(np.sin(t)) * np.abs(np.sin(t)) ** power
    return np.column_stack([x, y, plane - 0.10 * x**2])


def _lens(rim: Float64) -> tuple[Float64, npt.NDArray[np.int32]]:
    """Returns the lens inside a rim: rings that shrink to its centre, bulging forwards."""
    shares = np.linspace(1.0, 0.02, LENS_RINGS + 1)[:, None, None]
    rings = rim.mean(axis=0) + (rim - rim.mean(axis=0)) * shares
    rings[..., 2] += 0.02 * (1 - shares[..., 0] ** 2)
    return rings.reshape(-1, 3), sheet_triangles(LENS_RINGS + 1, len(rim), wrap_columns=True)


def _temple(
    head: Head,
    vertices: npt.NDArray[np.float32],
    rim: Float64,
    side: float,
    centre: npt.NDArray[np.float32],
    frame: Frame,
) -> tuple[Float64, npt.NDArray[np.int32]]:
    """Returns the arm from the rim's outer end to the ear, outside the temple of the head."""
    rest = head.vertices
    near_ear = head.skin & (np.abs(rest[:, 2] - 0.6) < 0.12) & (np.abs(rest[:, 1] - 7.25) < 0.1)
    width = float(np.abs(vertices[near_ear, 0]).max()) * 0.93
    start = rim[np.argmax(rim[:, 0] * side)] + np.array([0, 0.08, 0])
    ear = np.array([side * width, centre[1] + 0.05, 0.62])
    share = np.linspace(0, 1, 8)[:, None]
    path = start * (1 - share) + ear * share
    path[:, 0] += side * 0.05 * np.sin(np.pi * share[:, 0])
    return tube(path, frame.wire * 0.9, closed=False)


def _bridge(left: Float64, right: Float64, frame: Frame) -> tuple[Float64, npt.NDArray[np.int32]]:
    """Returns the bow between the rims."""
    share = np.linspace(0, 1, 6)[:, None]
    path = left * (1 - share) + right * share + np.array([0, 0.03, 0])
    path += np.sin(np.pi * share) * np.array([0, 0.03, 0.02])
    return tube(path, frame.wire, closed=False)
