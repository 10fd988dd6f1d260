"""Shadow map of the key light: depth of the nearest surface or strand, seen from the light."""

import warp as wp

from synth.rendering.kernels import runtime  # noqa: F401  (sets Warp up before the first kernel)

GOLDEN_COSINE = wp.constant(-0.7373688)  # of the golden angle, by which the taps of a Vogel disc follow each other
GOLDEN_SINE = wp.constant(0.6754903)


@wp.struct
class ShadowMap:
    """A square orthographic depth map around the head; depth grows away from the light."""

    depth: wp.array(dtype=float)
    size: int
    texels_per_dm: float
    right: wp.vec3
    up: wp.vec3
    towards_light: wp.vec3
    softness: float


@wp.func
def to_map(point: wp.vec3, shadows: ShadowMap) -> wp.vec3:
    """Returns column, row (texels) and depth (dm) of a point in the map."""
    half = 0.5 * float(shadows.size)
    column = half + shadows.texels_per_dm * wp.dot(point, shadows.right)
    row = half + shadows.texels_per_dm * wp.dot(point, shadows.up)
    return wp.vec3(column, row, 50.0 - wp.dot(point, shadows.towards_light))


@wp.func
def keep_nearest(column: int, row: int, depth: float, shadows: ShadowMap):
    """Stores the depth where it is the nearest so far."""
    if column >= 0 and column < shadows.size and row >= 0 and row < shadows.size:
        texel = row * shadows.size + column
        if depth < shadows.depth[texel]:  # a plain read spares most of the atomics
            wp.atomic_min(shadows.depth, texel, depth)


@wp.kernel
def shadow_triangles(vertices: wp.array(dtype=wp.vec3), triangles: wp.array2d(dtype=wp.int32), shadows: ShadowMap):
    """Draws the triangles into the map, one thread each."""
    t = wp.tid()
    a = to_map(vertices[triangles[t, 0]], shadows)
    b = to_map(vertices[triangles[t, 1]], shadows)
    c = to_map(vertices[triangles[t, 2]], shadows)
    area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    if wp.abs(area) < 1.0e-9:
        return
    per_area = 1.0 / area
    first_column = wp.max(0, int(wp.ceil(wp.min(a[0], wp.min(b[0], c[0])) - 0.5)))
    last_column = wp.min(shadows.size - 1, int(wp.floor(wp.max(a[0], wp.max(b[0], c[0])) - 0.5)))
    first_row = wp.max(0, int(wp.ceil(wp.min(a[1], wp.min(b[1], c[1])) - 0.5)))
    last_row = wp.min(shadows.size - 1, int(wp.floor(wp.max(a[1], wp.max(b[1], c[1])) - 0.5)))
    for row in range(first_row, last_row + 1):
        for column in range(first_column, last_column + 1):
            x = float(column) + 0.5
            y = float(row) + 0.5
            wa = ((b[0] - x) * (c[1] - y) - (b[1] - y) * (c[0] - x)) * per_area
            wb = ((c[0] - x) * (a[1] - y) - (c[1] - y) * (a[0] - x)) * per_area
            if wa >= 0.0 and wb >= 0.0 and wa + wb <= 1.0:
                keep_nearest(column, row, wa * a[2] + wb * b[2] + (1.0 - wa - wb) * c[2], shadows)


@wp.kernel
def shadow_strands(
    points: wp.array2d(dtype=wp.vec3),
    drawn: wp.array(dtype=wp.int32),
    share: float,
    ranks: wp.array(dtype=float),
    shadows: ShadowMap,
):
    """Draws the strands of low rank into the map, one thread each; `drawn` is 0 where a strand is hidden."""
    i = wp.tid()
    if drawn[i] == 0 or ranks[i] > share:
        return
    a = to_map(points[i, 0], shadows)
    for k in range(1, points.shape[1]):
        b = to_map(points[i, k], shadows)
        steps = wp.clamp(int(wp.ceil(wp.max(wp.abs(b[0] - a[0]), wp.abs(b[1] - a[1])))), 1, 400)
        for j in range(steps):
            p = wp.lerp(a, b, (float(j) + 0.5) / float(steps))
            keep_nearest(int(wp.floor(p[0])), int(wp.floor(p[1])), p[2], shadows)
        a = b


@wp.func
def lit_texel(x: float, y: float, depth: float, shadows: ShadowMap) -> float:
    """Returns 1 where nothing in the map is nearer to the light than `depth`, else 0."""
    column = int(wp.floor(x))
    row = int(wp.floor(y))
    if column < 0 or column >= shadows.size or row < 0 or row >= shadows.size:
        return 1.0
    return wp.where(depth <= shadows.depth[row * shadows.size + column], 1.0, 0.0)


@wp.func
def lit(point: wp.vec3, bias: float, radius: float, turn: float, shadows: ShadowMap) -> float:
    """Returns the lit share, 0..1: eight taps on a Vogel disc of `radius` texels, turned by `turn` radians."""
    centre = to_map(point, shadows)
    total = float(0.0)
    across = wp.cos(turn)
    along = wp.sin(turn)
    for k in range(8):
        reach = radius * wp.sqrt((float(k) + 0.5) * 0.125)
        total = total + lit_texel(centre[0] + reach * across, centre[1] + reach * along, centre[2] - bias, shadows)
        turned = across * GOLDEN_COSINE - along * GOLDEN_SINE
        along = across * GOLDEN_SINE + along * GOLDEN_COSINE
        across = turned
    return total * 0.125


@wp.func
def lit_through_hair(point: wp.vec3, turn: float, shadows: ShadowMap) -> float:
    """Returns how much key light reaches a point inside hair, 0..1: exponential in the depth below the first hit."""
    centre = to_map(point, shadows)
    total = float(0.0)
    for k in range(4):
        angle = 1.5708 * float(k) + turn
        column = int(wp.floor(centre[0] + 1.5 * wp.cos(angle)))
        row = int(wp.floor(centre[1] + 1.5 * wp.sin(angle)))
        if column < 0 or column >= shadows.size or row < 0 or row >= shadows.size:
            total = total + 1.0
        else:
            below = centre[2] - shadows.depth[row * shadows.size + column] - 0.01
            total = total + wp.exp(-9.0 * wp.max(below, 0.0))
    return total * 0.25
