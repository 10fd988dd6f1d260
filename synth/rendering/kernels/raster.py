"""Visibility buffer: which triangle or strand each sample of the picture sees, nearest first.

A sample holds depth in its upper and the primitive's number in its lower 32 bits, so that one atomic minimum
keeps the nearest and the result does not depend on the order of the threads.
"""

import warp as wp

from synth.rendering.kernels.noise import hash_unit

EMPTY = wp.constant(wp.uint64(0xFFFFFFFFFFFFFFFF))
DEPTH_STEPS = wp.constant(4.0e7)  # per dm; 32 bits reach 107 dm
FIRST_STRAND = wp.constant(1 << 20)  # numbers below are triangles
SKIN = wp.constant(0)  # as in head.py
POCKET = wp.constant(0.05)  # dm; the skin's inner side counts as so much farther: pockets of mouths poke through cheeks
STRAND_STRIDE = wp.constant(16)  # numbers a strand takes, at least its segments


@wp.struct
class View:
    """A pinhole camera on the z axis followed by a plane affine map to samples."""

    width: int
    height: int
    samples_per_side: int  # of a pixel
    distance: float
    to_column: wp.vec3
    to_row: wp.vec3
    samples_per_slope: float  # size in samples of 1 dm at 1 dm depth


@wp.func
def project(point: wp.vec3, view: View) -> wp.vec3:
    """Returns column, row (samples) and depth (dm) of a world point."""
    depth = view.distance - point[2]
    slope = wp.vec3(point[0] / depth, -point[1] / depth, 1.0)
    return wp.vec3(wp.dot(view.to_column, slope), wp.dot(view.to_row, slope), depth)


@wp.kernel
def project_points(points: wp.array(dtype=wp.vec3), view: View, projected: wp.array(dtype=wp.vec3)):
    """Projects world points, one thread each."""
    i = wp.tid()
    projected[i] = project(points[i], view)


@wp.func
def keep_nearest(column: int, row: int, depth: float, number: int, view: View, visible: wp.array(dtype=wp.uint64)):
    """Stores the primitive where it is the nearest so far."""
    if depth > 0.1 and depth < 100.0:
        packed = (wp.uint64(depth * DEPTH_STEPS) << wp.uint64(32)) | wp.uint64(number)
        sample = row * view.width + column
        if packed < visible[sample]:  # a plain read spares most of the atomics; a stale one costs one, no more
            wp.atomic_min(visible, sample, packed)


@wp.func
def is_hidden(column: int, row: int, depth: float, view: View, visible: wp.array(dtype=wp.uint64)) -> bool:
    """Says whether something already drawn at a sample is nearer."""
    return wp.uint64(depth * DEPTH_STEPS) > (visible[row * view.width + column] >> wp.uint64(32))


@wp.func
def takes(column: int, row: int, opacity: float, view: View) -> bool:
    """Says whether a part of some opacity takes a sample: the first ones of each pixel (alpha to coverage)."""
    side = view.samples_per_side
    place = (row % side) * side + column % side
    return float(place) + 0.5 < opacity * float(side * side)


@wp.kernel
def raster_triangles(
    projected: wp.array(dtype=wp.vec3),
    triangles: wp.array2d(dtype=wp.int32),
    parts: wp.array(dtype=wp.int32),
    opacities: wp.array(dtype=float),
    view: View,
    visible: wp.array(dtype=wp.uint64),
):
    """Draws the triangles, one thread each; see-through parts take their share of each pixel's samples.

    Triangles seen from behind have a positive area, since rows count downwards.
    """
    t = wp.tid()
    opacity = opacities[parts[t]]
    a = projected[triangles[t, 0]]
    b = projected[triangles[t, 1]]
    c = projected[triangles[t, 2]]
    area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    if wp.abs(area) < 1.0e-9:
        return
    per_area = 1.0 / area
    behind = wp.where(parts[t] == SKIN and area > 0.0, POCKET, 0.0)
    first_column = wp.max(0, int(wp.ceil(wp.min(a[0], wp.min(b[0], c[0])) - 0.5)))
    last_column = wp.min(view.width - 1, int(wp.floor(wp.max(a[0], wp.max(b[0], c[0])) - 0.5)))
    first_row = wp.max(0, int(wp.ceil(wp.min(a[1], wp.min(b[1], c[1])) - 0.5)))
    last_row = wp.min(view.height - 1, int(wp.floor(wp.max(a[1], wp.max(b[1], c[1])) - 0.5)))
    for row in range(first_row, last_row + 1):
        for column in range(first_column, last_column + 1):
            x = float(column) + 0.5
            y = float(row) + 0.5
            wa = ((b[0] - x) * (c[1] - y) - (b[1] - y) * (c[0] - x)) * per_area
            wb = ((c[0] - x) * (a[1] - y) - (c[1] - y) * (a[0] - x)) * per_area
            if wa >= 0.0 and wb >= 0.0 and wa + wb <= 1.0 and takes(column, row, opacity, view):
                depth = wa * a[2] + wb * b[2] + (1.0 - wa - wb) * c[2] + behind
                keep_nearest(column, row, depth, t, view, visible)


@wp.func
def is_outside(a: wp.vec3, b: wp.vec3, view: View) -> bool:
    """Says whether a segment lies beyond one side of the picture, or behind the camera."""
    if a[2] < 0.1 or b[2] < 0.1 or wp.max(a[0], b[0]) < 0.0 or wp.max(a[1], b[1]) < 0.0:
        return True
    return wp.min(a[0], b[0]) >= float(view.width) or wp.min(a[1], b[1]) >= float(view.height)


@wp.kernel
def raster_strands(
    points: wp.array2d(dtype=wp.vec3),
    drawn: wp.array(dtype=wp.int32),
    widths: wp.array(dtype=float),
    kinds: wp.array(dtype=wp.int32),
    widening: wp.array(dtype=float),
    view: View,
    visible: wp.array(dtype=wp.uint64),
):
    """Draws the strands, one thread each; `drawn` is the first visible point plus 1, 0 for a hidden strand.

    A strand thinner than a sample takes each sample with the probability of its width (stochastic transparency,
    Enderton et al. 2010), tapering to its tip; a wider one is drawn as lines side by side, as many as its width.
    """
    i = wp.tid()
    first = drawn[i] - 1
    if first < 0:
        return
    last = points.shape[1] - 1
    a = project(points[i, first], view)
    width = widths[i] * widening[kinds[i]] * view.samples_per_slope / wp.max(a[2], 0.1)
    lines = wp.clamp(int(width + 0.5), 1, 6)
    for k in range(first, last):
        b = project(points[i, k + 1], view)
        if not is_outside(a, b, view):
            across = wp.abs(b[1] - a[1]) >= wp.abs(b[0] - a[0])  # steep: lines lie beside each other in columns
            steps = wp.clamp(int(wp.ceil(wp.max(wp.abs(b[0] - a[0]), wp.abs(b[1] - a[1])))), 1, 400)
            chance = width / float(lines) * (1.0 - 0.6 * float(k) / float(last))
            for j in range(steps):
                p = wp.lerp(a, b, (float(j) + 0.5) / float(steps))
                for line in range(lines):
                    aside = float(line) - 0.5 * float(lines - 1)
                    column = int(wp.floor(p[0] + wp.where(across, aside, 0.0)))
                    row = int(wp.floor(p[1] + wp.where(across, 0.0, aside)))
                    if column >= 0 and column < view.width and row >= 0 and row < view.height:
                        depth = p[2] - 0.004
                        if not is_hidden(column, row, depth, view, visible):
                            if chance >= 1.0 or hash_unit(column, row, i, 77) < chance:
                                number = FIRST_STRAND + i * STRAND_STRIDE + k
                                keep_nearest(column, row, depth, number, view, visible)
        a = b
