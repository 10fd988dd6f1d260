"""Scalp hair: strands that start at fixed roots, follow their style over the head and keep off the face."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from synth.rendering.attributes import Attributes, HairlineTraits, HairTraits
from synth.rendering.decoding import GREY_HAIR
from synth.rendering.face import STRAND_POINTS, RadialMap, Strands
from synth.rendering.hair_styles import STRAND_COUNTS, Growth, grow
from synth.rendering.head import load_head
from synth.rendering.radial import skin_distance
from synth.rendering.regions import scalp, smooth_step
from synth.rendering.roots import Roots, scatter_roots

Float32 = npt.NDArray[np.float32]

ROOT_SEED = 31
ROOT_COUNT = 30_000  # more than any style uses, as part of them lies outside a hairline
WIDTH = 0.0042  # dm, of a strand when all are drawn
LARGEST_SCALP = HairlineTraits(front=-0.2, side=0.3, nape=-0.2, recession=0.0)
STRANDS_PER_CLUMP = 55
TURNS_PER_TUFT = 40  # frizzy strands that share most of their turns

# Columns of Roots.uniform and Roots.normal; hair_styles.py uses uniform 5 and normal 0..2.
PRESENCE, RANK, LENGTH, LAYER, PHASE, CLUMP = 0, 1, 2, 3, 4, 6
COLOUR, GREY = 3, 4

# Half-width of the face that hair must leave free, by height over the eyes (dm).
STEER_HEIGHTS, STEER_WIDTHS = (-1.2, -0.5, 0.0, 0.45, 0.7), (0.70, 0.66, 0.62, 0.50, 0.2)
CUT_HEIGHTS, CUT_WIDTHS = (-2.5, -1.2, -0.5, 0.0, 0.35), (0.9, 0.70, 0.66, 0.62, 0.50)


def grow_hair(person: Attributes, vertices: Float32, normals: Float32, radial: RadialMap, share: float) -> Strands:
    """Returns a person's scalp hair; no strands for the bald.

    Args:
        person: decoded from the vector.
        vertices: float32 (V, 3), dm.
        normals: float32 (V, 3), unit.
        radial: of the same head.
        share: 0..1, of the strands to make; fewer ones are wider, for small pictures.
    """
    roots = _choose_roots(person, share)
    starts, outwards = roots.on(vertices), _unit(roots.on(normals))
    if len(starts) == 0:
        return _assemble(person, roots, starts[:, None].repeat(STRAND_POINTS, 1), outwards, radial, 0.1, share)
    growth = grow(person.hair, roots, starts, radial.centre)
    eyes = load_head().eyeball_centres(vertices).mean(axis=0)
    points = _follow(growth, person, roots, starts, outwards, radial, eyes)
    if growth.clumping > 0:
        points = _clump(points, growth.clumping, roots, share)
    if growth.wave > 0:
        points = _swing(points, growth, person, roots, outwards, radial)
    if person.hair.style != "buzz":
        points = _cut_off_face(points, person.hair, growth.falls, eyes)
    return _assemble(person, roots, points, outwards, radial, growth.thickness, share)


@cache
def _all_roots() -> Roots:
    head = load_head()
    density = scalp(head.vertices, LARGEST_SCALP, head, 0.05) * (head.ears < 0.3)
    return scatter_roots(head, density, ROOT_COUNT, ROOT_SEED)


@cache
def _turns() -> Float32:
    """Returns fixed random turns of frizzy hair, float32 (ROOT_COUNT, S, 3); neighbours turn mostly alike."""
    rng = np.random.default_rng(ROOT_SEED + 1)
    own = 0.6 * rng.standard_normal((ROOT_COUNT, STRAND_POINTS, 3), dtype=np.float32)
    roots = _all_roots().positions
    leaders = np.arange(ROOT_COUNT // TURNS_PER_TUFT)
    nearest = cKDTree(roots[leaders]).query(roots)[1]
    return 0.75 * own[leaders][nearest] + 0.45 * own


def _choose_roots(person: Attributes, share: float) -> Roots:
    """Returns the roots inside the person's hairline, thinned softly towards its edge."""
    roots = _all_roots().take(slice(0, int(1.25 * share * STRAND_COUNTS[person.hair.style])))
    density = scalp(roots.positions, person.hairline, load_head(), 0.05)
    return roots.take(roots.uniform[:, PRESENCE] < density)


def _follow(
    growth: Growth,
    person: Attributes,
    roots: Roots,
    starts: Float32,
    outwards: Float32,
    radial: RadialMap,
    eyes: Float32,
) -> Float32:
    """Grows the strands step by step over the head, float32 (N, S, 3)."""
    steps = STRAND_POINTS - 1
    flat = growth.direction - outwards * (growth.direction * outwards).sum(axis=1, keepdims=True)
    combed = _unit(flat)
    direction = _unit(combed * (1 - growth.lift) + outwards * growth.lift)
    step = (growth.length * (0.85 + 0.3 * roots.uniform[:, LENGTH]) / steps)[:, None].astype(np.float32)
    layer = roots.uniform[:, LAYER] ** 0.7 * growth.thickness
    turns = _turns()[roots.numbers] if growth.frizz > 0 else None
    down = np.array([0.0, -growth.gravity, 0.0], dtype=np.float32)
    points = np.zeros((len(starts), STRAND_POINTS, 3), dtype=np.float32)
    points[:, 0] = starts
    for k in range(1, STRAND_POINTS):
        t = k / steps
        if growth.target is not None:
            direction = 0.5 * direction + 0.5 * _unit(growth.target - points[:, k - 1])
        else:
            if growth.lift < 0.6 and k < 4:
                direction = 0.7 * direction + 0.3 * combed
            direction = direction + down * np.float32(1 + 2 * t)
        if turns is not None:
            direction = _unit(direction) + growth.frizz * turns[:, k] + growth.outwards * outwards
        point = points[:, k - 1] + _unit(direction) * step
        if growth.falls:
            point = _steer_round_face(point, starts, eyes, person.hair.sides)
        point = _rest_on_head(point, growth, layer * min(1.0, 3 * t), radial)
        direction = _unit(point - points[:, k - 1])
        points[:, k] = point
    return points


def _steer_round_face(points: Float32, starts: Float32, eyes: Float32, sides: float) -> Float32:
    """Pushes points of falling hair out of the space before the face."""
    relative = points - eyes
    width = np.interp(relative[:, 1], STEER_HEIGHTS, STEER_WIDTHS) * (0.85 + 0.3 * sides)
    inside = (relative[:, 2] > -0.55) & (np.abs(relative[:, 0]) < width) & (relative[:, 1] < 0.62)
    inside &= starts[:, 2] > eyes[2] - 1.2
    side = np.where(starts[:, 0] >= 0, 1.0, -1.0)
    steered = points.copy()
    steered[:, 0] = np.where(inside, side * width, points[:, 0])
    steered[:, 2] -= np.where(inside, 0.05, 0.0)
    return steered


def _rest_on_head(points: Float32, growth: Growth, layer: Float32, radial: RadialMap) -> Float32:
    """Keeps points above the skin, and combed hair close to it."""
    skin, radius, direction = skin_distance(radial, points)
    lowest = skin + 0.015 + layer
    combed = (growth.lift < 0.6) & (points[:, 1] > radial.centre[1] - 0.9)
    settled = np.where(combed, lowest + 0.6 * (radius - lowest), radius)
    wanted = np.where(radius < lowest, lowest, settled).astype(np.float32)
    return radial.centre + direction * wanted[:, None]


def _clump(points: Float32, strength: float, roots: Roots, share: float) -> Float32:
    """Draws the tips of neighbouring strands together."""
    guides = max(60, int(len(points) / share) // STRANDS_PER_CLUMP)
    nearest = cKDTree(roots.positions[:guides]).query(roots.positions)[1]
    t = np.linspace(0, 1, STRAND_POINTS, dtype=np.float32)[None, :, None]
    amount = strength * t**1.2 * (0.5 + 0.5 * roots.uniform[:, CLUMP, None, None])
    apart = (points[:, 0] - points[nearest, 0])[:, None]
    return np.asarray(points * (1 - amount) + (points[nearest] + 0.45 * apart) * amount, dtype=np.float32)


def _swing(
    points: Float32, growth: Growth, person: Attributes, roots: Roots, outwards: Float32, radial: RadialMap
) -> Float32:
    """Adds waves sideways to the strands."""
    sideways = _unit(np.cross(points[:, -1] - points[:, 0], outwards))
    t = np.linspace(0, 1, STRAND_POINTS, dtype=np.float32)[None]
    cycles = t * growth.length[:, None] * (3.5 + 2 * person.hair.wave_rate)
    swing = growth.wave * np.sin(cycles + 1.9 * roots.uniform[:, PHASE, None]) * np.minimum(3 * t, 1)
    waved = points + sideways[:, None] * swing[..., None]
    skin, radius, direction = skin_distance(radial, waved)
    lowest = skin + 0.01
    waved = np.where((radius < lowest)[..., None], radial.centre + direction * lowest[..., None], waved)
    waved[:, 0] = points[:, 0]
    return waved.astype(np.float32)


def _cut_off_face(points: Float32, hair: HairTraits, falls: bool, eyes: Float32) -> Float32:
    """Ends strands at their last point before the face; clumping may have drawn some across it."""
    relative = points - eyes
    sideways, height, depth = np.abs(relative[..., 0]), relative[..., 1], relative[..., 2]
    width = np.interp(height, CUT_HEIGHTS, CUT_WIDTHS) * (0.85 + 0.3 * hair.sides)
    barred = (depth > -0.7) & (sideways < width) & (height > -1.3)
    if hair.style != "short":  # whose sides grow right there, too short to reach the cheek
        before_cheek = -0.50 - (0.30 * hair.sides if falls else 0.0)
        barred |= (depth > before_cheek) & (height > -1.0)
    barred &= height < 0.38
    barred[:, 0] = False
    first = np.where(barred.any(axis=1), barred.argmax(axis=1), STRAND_POINTS)
    last = np.minimum(np.arange(STRAND_POINTS)[None], first[:, None] - 1)
    return np.take_along_axis(points, last[..., None], axis=1)


def _assemble(
    person: Attributes,
    roots: Roots,
    points: Float32,
    outwards: Float32,
    radial: RadialMap,
    thickness: float,
    share: float,
) -> Strands:
    """Adds colours, normals and occlusion."""
    hair = person.hair
    tint = hair.colour * np.exp(0.20 * roots.normal[:, COLOUR, None])
    grey = np.clip(hair.grey + 0.22 * roots.normal[:, GREY, None], 0, 1) * min(1.0, 5 * hair.grey)
    skin, radius, direction = skin_distance(radial, points)
    open_ = 0.30 + 0.70 * smooth_step(0.0, 0.16 + 0.6 * thickness, radius - skin)
    occlusion = np.full_like(open_, 0.75) if hair.style == "buzz" else np.clip(open_, 0.25, 1.0)
    return Strands(
        kind="scalp",
        points=points,
        normals=_unit(0.6 * direction + 0.4 * outwards[:, None]),
        colours=(tint * (1 - grey) + GREY_HAIR * grey).astype(np.float32),
        occlusion=occlusion.astype(np.float32),
        width=WIDTH / share,
        ranks=roots.uniform[:, RANK],
    )


def _unit(vectors: npt.NDArray[np.floating]) -> Float32:
    length = np.sqrt((vectors * vectors).sum(axis=-1, keepdims=True)) + 1e-6
    return np.asarray(vectors / length, dtype=np.float32)
