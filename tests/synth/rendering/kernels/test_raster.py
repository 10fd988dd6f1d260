import numpy as np
import pytest
import warp as wp

from synth.rendering.kernels.raster import EMPTY, View, raster_triangles

SIDE = 8  # samples
CHEEK, POCKET = 0, 1


def number_seen(pocket_depth, part=0):
    """Number of the triangle in the middle of the picture: a cheek at 10 dm and a pocket's outside near it."""
    corners = np.array([[-20, -20, 10], [0, 20, 10], [20, -20, 10]], dtype=np.float32)
    corners[:, :2] += SIDE / 2
    pocket = corners.copy()
    pocket[:, 2] = pocket_depth
    view = View()
    view.width, view.height, view.samples_per_side = SIDE, SIDE, 1
    visible = wp.full(SIDE * SIDE, wp.uint64(EMPTY), dtype=wp.uint64, device="cpu")
    arguments = [
        wp.array(np.concatenate([corners, pocket]), dtype=wp.vec3, device="cpu"),
        wp.array([[0, 1, 2], [5, 4, 3]], dtype=wp.int32, device="cpu"),
        wp.array([part, part], dtype=wp.int32, device="cpu"),
        wp.array([1.0, 1.0], dtype=float, device="cpu"),
        view,
    ]
    wp.launch(raster_triangles, 2, arguments, [visible], device="cpu")
    return int(visible.numpy()[SIDE * SIDE // 2 + SIDE // 2] & 0xFFFFFFFF)


@pytest.mark.parametrize(("depth", "seen"), [(10.1, CHEEK), (9.97, CHEEK), (9.9, POCKET)])
def test_a_pocket_that_pokes_through_a_cheek_is_hidden_but_not_one_before_it(depth, seen):
    assert number_seen(depth) == seen


def test_other_parts_are_seen_from_either_side():
    assert number_seen(9.97, part=1) == POCKET
