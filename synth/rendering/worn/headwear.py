"""Hats and face masks: sheets that follow the head's distance map at some distance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter, map_coordinates, maximum_filter

from synth.rendering.face import RadialMap
from synth.rendering.palette import linear, random_colour
from synth.rendering.worn.mesh import KNIT, WOVEN, Float64, Indices, WornMesh, joined, sheet_triangles, tube

HAT_COLUMNS, HAT_ROWS = 72, 18
MASK_COLUMNS, MASK_ROWS = 40, 18
MASK_SIDE = np.radians(60)  # azimuth of the mask's side edges, in front of the ears
MASK_TOP = np.radians(99)  # polar angle from which a mask hides the beard
LOWEST_MASK = np.radians(158)  # polar angle, below the chin
HAT_DROP = np.radians(38)  # how much lower the edge lies at the back
MASK_COLOURS = np.array([[200, 215, 225], [40, 40, 45], [225, 225, 225], [110, 160, 190], [150, 190, 200]]) / 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Hat:
    """A hat's meshes and the polar angle of its edge over the forehead, radians: hair above it is hidden."""

    meshes: list[WornMesh]
    front_edge: float


def make_hat(radial: RadialMap, rng: np.random.Generator) -> Hat:
    """Returns a beanie, or a cap with a peak.

    Args:
        radial: distance map of the head.
        rng: of shape and colour.
    """
    is_cap = rng.random() < 0.4
    shell = _lifted(radial.radii, (2.0, 3.0)) + (0.10 if is_cap else 0.14) + 0.10 * rng.random()
    edge = np.radians(rng.uniform(48, 56) if is_cap else rng.uniform(44, 56))
    azimuth = np.linspace(-np.pi, np.pi, HAT_COLUMNS, endpoint=False)
    lowest = edge + HAT_DROP * 0.5 * (1 - np.cos(azimuth))
    polar = np.linspace(0.0, 1.0, HAT_ROWS)[:, None] * lowest
    radii = _at(shell, polar, azimuth)
    if not is_cap:
        radii[-4:] *= np.array([1.005, 1.04, 1.04, 1.0])[:, None]  # the brim is rolled up
        radii *= 1 + 0.10 * rng.random() * np.cos(polar).clip(0) ** 2
    vertices = radial.centre + radii[..., None] * _directions(polar, np.broadcast_to(azimuth, polar.shape))
    pieces = [(vertices.reshape(-1, 3), sheet_triangles(HAT_ROWS, HAT_COLUMNS, wrap_columns=True))]
    if is_cap:
        pieces.append(_peak(radial, shell, edge, rng.uniform(0.45, 0.7)))
    joined_vertices, triangles = joined(pieces)
    colour = random_colour(rng, 20, 220)
    weave = WOVEN if is_cap else KNIT
    mesh = WornMesh(vertices=joined_vertices, triangles=triangles, colour=colour, roughness=0.8, weave=weave)
    return Hat(meshes=[mesh], front_edge=float(edge))


def make_mask(
    radial: RadialMap, skin: npt.NDArray[np.float32], ears: Float64, rng: np.random.Generator
) -> list[WornMesh]:
    """Returns a face mask over nose, mouth and chin with its ear loops.

    Args:
        radial: distance map of the head.
        skin: float32 (N, 3), dm, vertices that must stay below the mask.
        ears: (2, 3), dm, where the left and the right ear join the head.
        rng: of colour.
    """
    shell = np.maximum(_lifted(radial.radii, (1.5, 2.2)) + 0.03, _highest(radial, skin) + 0.02)
    azimuth = np.linspace(-MASK_SIDE, MASK_SIDE, MASK_COLUMNS)
    outwards = np.abs(azimuth / MASK_SIDE)
    covered = _polar(skin - radial.centre)
    top = covered.min() + np.radians(2) + np.radians(14) * outwards**1.2
    bottom = min(covered.max() + np.radians(2), LOWEST_MASK) - np.radians(16) * outwards**2
    polar = top + (bottom - top) * np.linspace(0, 1, MASK_ROWS)[:, None]
    directions = _directions(polar, np.broadcast_to(azimuth, polar.shape))
    vertices = radial.centre + _at(shell, polar, azimuth)[..., None] * directions
    colour = linear(MASK_COLOURS[rng.integers(len(MASK_COLOURS))])
    sheet, triangles = joined([(vertices.reshape(-1, 3), sheet_triangles(MASK_ROWS, MASK_COLUMNS))])
    loops, loop_triangles = joined(
        [_loop(radial, vertices[:, column], ear) for column, ear in ((0, ears[1]), (-1, ears[0]))]
    )
    return [
        WornMesh(vertices=sheet, triangles=triangles, colour=colour, roughness=0.8, weave=WOVEN),
        WornMesh(vertices=loops, triangles=loop_triangles, colour=colour, roughness=0.8),
    ]


def _lifted(radii: npt.NDArray[np.floating], sigma: tuple[float, float]) -> Float64:
    """Returns a smooth map that stays outside the given one, nose and ears bridged."""
    highest = maximum_filter(radii, size=(3, 5), mode=("nearest", "wrap"))
    return np.asarray(gaussian_filter(highest.astype(np.float64), sigma, mode=("nearest", "wrap")))


def _highest(radial: RadialMap, points: npt.NDArray[np.float32]) -> Float64:
    """Returns the largest distance of points in and next to each cell of the map, 0 where there are none."""
    rows, columns = radial.radii.shape
    arm = points.astype(np.float64) - radial.centre
    radii = np.linalg.norm(arm, axis=1)
    row = (_polar(arm) / np.pi * rows).astype(int)
    column = ((np.arctan2(arm[:, 0], arm[:, 2]) + np.pi) / (2 * np.pi) * columns).astype(int) % columns
    highest = np.zeros((rows, columns))
    np.maximum.at(highest, (row, column), radii)
    return np.asarray(maximum_filter(highest, size=3, mode=("nearest", "wrap")))


def _at(radii: Float64, polar: Float64, azimuth: Float64) -> Float64:
    """Reads a distance map at angles (radians), bilinearly; azimuth broadcasts to polar's shape."""
    rows, columns = radii.shape
    row = polar / np.pi * rows - 0.5
    column = (np.broadcast_to(azimuth, polar.shape) + np.pi) / (2 * np.pi) * columns - 0.5
    return np.asarray(map_coordinates(radii, [row.clip(0, rows - 1), column], order=1, mode="grid-wrap"))


def _polar(arm: npt.NDArray[np.floating]) -> Float64:
    """Returns the angle from +y, radians, of vectors (N, 3)."""
    return np.asarray(np.arccos(arm[:, 1] / np.linalg.norm(arm, axis=1)), dtype=np.float64)


def _directions(polar: Float64, azimuth: Float64) -> Float64:
    """Returns unit vectors (..., 3) of angles: polar from +y, azimuth from +z to +x."""
    return np.stack([np.sin(polar) * np.sin(azimuth), np.cos(polar), np.sin(polar) * np.cos(azimuth)], axis=-1)


def _peak(radial: RadialMap, shell: Float64, edge: float, length: float) -> tuple[Float64, Indices]:
    """Returns a cap's peak: a bent sheet that grows forwards out of the edge over the forehead."""
    azimuth = np.radians(np.linspace(-62, 62, 24))
    polar = edge + HAT_DROP * 0.5 * (1 - np.cos(azimuth)) - 0.02
    root = radial.centre + _at(shell, polar, azimuth)[:, None] * _directions(polar, azimuth)
    share = np.linspace(0, 1, 8)[:, None, None]
    reach = length * np.cos(azimuth * 1.4).clip(0) ** 0.6
    growth = np.stack([0.15 * root[:, 0] * reach, -0.25 * reach - 0.3 * azimuth**2 * reach, reach], axis=-1)
    return (root + share * growth).reshape(-1, 3), sheet_triangles(8, 24)


def _loop(radial: RadialMap, edge: Float64, ear: Float64) -> tuple[Float64, Indices]:
    """Returns an elastic from a mask's upper to its lower corner, around the ear and outside the cheek."""
    share = np.linspace(0, 1, 7)[:, None]
    path = np.concatenate([edge[1] * (1 - share) + ear * share, (ear * (1 - share) + edge[-2] * share)[1:]])
    path[4:10, 1] += np.array([0.04, 0.09, 0.08, -0.02, -0.12, -0.10])  # over the ear's root and behind its lobe
    arm = path - radial.centre
    radius = np.linalg.norm(arm, axis=1)
    cheek = _at(radial.radii.astype(np.float64), _polar(arm), np.arctan2(arm[:, 0], arm[:, 2])) + 0.02
    lifted = np.clip(cheek, radius, radius + 0.25)
    return tube(radial.centre + arm * (lifted / radius)[:, None], 0.008, closed=False)
