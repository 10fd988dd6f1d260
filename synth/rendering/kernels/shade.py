"""From visible primitives to the pixels' radiance: each pixel is the mean of its samples."""

import warp as wp

from synth.rendering.kernels.cloth import Clothes, below_neckline, shade_cloth
from synth.rendering.kernels.eye import EyePair, shade_eye
from synth.rendering.kernels.hair import Hair, shade_hair
from synth.rendering.kernels.lights import Light
from synth.rendering.kernels.mouth import shade_mouth
from synth.rendering.kernels.noise import hash_unit
from synth.rendering.kernels.raster import EMPTY, FIRST_STRAND, STRAND_STRIDE, View
from synth.rendering.kernels.shadow import ShadowMap
from synth.rendering.kernels.skin import SkinTexture, shade_skin
from synth.rendering.kernels.surface import Mesh, hit_mesh
from synth.rendering.kernels.worn import FIRST_WORN_PART, Worn, shade_worn

NOTHING = wp.constant(-1)
STRAND = wp.constant(-2)
BRIGHTEST = wp.constant(40.0)  # radiance; keeps single glints from outshining a pixel


@wp.struct
class Materials:
    """What the parts of the scene are made of."""

    skin: SkinTexture
    eyes: EyePair
    teeth: wp.vec3
    clothes: Clothes
    worn: Worn


@wp.func
def part_of(seen: wp.uint64, mesh: Mesh) -> int:
    """Returns the part a sample sees; NOTHING or STRAND where it is no triangle."""
    if seen == EMPTY:
        return NOTHING
    number = int(seen & wp.uint64(4294967295))
    if number >= FIRST_STRAND:
        return STRAND
    return mesh.parts[number]


@wp.func
def shade_triangle(
    triangle: int, column: int, row: int, view: View, mesh: Mesh, materials: Materials, light: Light, shadows: ShadowMap
) -> wp.vec4:
    """Returns a sample's radiance, and in the fourth component whether it is bare skin."""
    turn = hash_unit(column, row, 3, 5) * 6.2831853
    hit = hit_mesh(triangle, float(column) + 0.5, float(row) + 0.5, turn, mesh, view, light)
    colour = wp.vec3(0.0, 0.0, 0.0)
    is_skin = float(0.0)
    if hit.part == 0:
        below = below_neckline(hit.rest, materials.clothes)
        if below > 0.0:
            dark = 1.0 - 0.95 * hit.inside  # seen through the nostrils
            colour = shade_cloth(hit, below, materials.clothes, light, shadows) * dark
        else:
            colour = shade_skin(hit, materials.skin, light, shadows)
            is_skin = 1.0
    elif hit.part <= 2:
        colour = shade_eye(hit, materials.eyes, light, shadows)
    elif hit.part < FIRST_WORN_PART:
        colour = shade_mouth(hit, materials.teeth, light, shadows)
    else:
        colour = shade_worn(hit, materials.worn, light, shadows)
    return wp.vec4(colour[0], colour[1], colour[2], is_skin)


@wp.func
def is_shaded(part: int, is_even: bool, column: int, row: int, side: int) -> bool:
    """Says whether a sample is shaded: inside one surface two opposite samples of the pixel will do."""
    return part == STRAND or not is_even or (column == row and (row == 0 or row == side - 1))


@wp.kernel
def shade_pixels(
    visible: wp.array(dtype=wp.uint64),
    side: int,
    view: View,
    mesh: Mesh,
    hair: Hair,
    materials: Materials,
    light: Light,
    shadows: ShadowMap,
    radiance: wp.array(dtype=wp.vec4),
    skin: wp.array(dtype=float),
):
    """Shades a pixel of `side` x `side` samples a thread: radiance with coverage, and the share of bare skin."""
    pixel = wp.tid()
    pixels_per_row = view.width / side
    left = (pixel % pixels_per_row) * side
    top = (pixel / pixels_per_row) * side
    first_part = part_of(visible[top * view.width + left], mesh)
    is_even = bool(True)
    covered = float(0.0)
    for row in range(side):
        for column in range(side):
            part = part_of(visible[(top + row) * view.width + left + column], mesh)
            if part != first_part:
                is_even = False
            if part != NOTHING:
                covered = covered + 1.0
    total = wp.vec4(0.0, 0.0, 0.0, 0.0)
    shaded = float(0.0)
    for row in range(side):
        for column in range(side):
            seen = visible[(top + row) * view.width + left + column]
            part = part_of(seen, mesh)
            if part != NOTHING and is_shaded(part, is_even, column, row, side):
                number = int(seen & wp.uint64(4294967295))
                sample = wp.vec4(0.0, 0.0, 0.0, 0.0)
                if part == STRAND:
                    strand = (number - FIRST_STRAND) / STRAND_STRIDE
                    segment = (number - FIRST_STRAND) % STRAND_STRIDE
                    turn = hash_unit(left + column, top + row, 3, 5) * 6.2831853
                    colour = shade_hair(strand, segment, turn, hair, view, light, shadows)
                    sample = wp.vec4(colour[0], colour[1], colour[2], 0.0)
                else:
                    sample = shade_triangle(number, left + column, top + row, view, mesh, materials, light, shadows)
                total = total + wp.min(sample, wp.vec4(BRIGHTEST, BRIGHTEST, BRIGHTEST, 1.0))
                shaded = shaded + 1.0
    coverage = covered / float(side * side)
    if shaded > 0.0:
        total = total * (coverage / shaded)
    radiance[pixel] = wp.vec4(total[0], total[1], total[2], coverage)
    skin[pixel] = total[3]
