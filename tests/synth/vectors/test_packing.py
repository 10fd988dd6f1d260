import numpy as np
import pytest
import torch

from synth.similarity import cosine_matrix, unit
from synth.vectors.packing import COLUMNS, spread


def directions(count, dimension, seed=0):
    return unit(np.random.default_rng(seed).standard_normal((count, dimension)))


def nearest(vectors, others=None):
    """The largest cosine of each vector with another one."""
    if others is not None:
        return cosine_matrix(vectors, others).max(axis=1)
    return (cosine_matrix(vectors, vectors) - 3 * np.eye(len(vectors))).max(axis=1)


def test_three_points_of_a_plane_end_up_at_the_corners_of_a_triangle():
    points = spread(directions(3, 2), np.empty((0, 2), dtype=np.float32), steps=200, xp=np)

    np.testing.assert_allclose(nearest(points), -0.5, atol=0.02)


def test_twice_as_many_points_as_dimensions_end_up_nearly_at_right_angles():
    """The best there is: the corners of the cross-polytope, whose largest cosine is 0 (Rankin 1955)."""
    start = directions(64, 32)

    points = spread(start, np.empty((0, 32), dtype=np.float32), steps=200, xp=np)

    assert nearest(start).mean() > 0.35
    assert nearest(points).max() < 0.08
    assert points.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1, atol=1e-6)


def test_points_move_away_from_settled_ones_as_well():
    settled = directions(300, 16, seed=1)
    start = directions(20, 16)

    points = spread(start, settled, steps=100, xp=np)

    assert nearest(points, settled).max() < nearest(start, settled).min()


def test_the_step_follows_the_gradient_of_the_smooth_largest_cosine():
    """A tiny step lowers the sum of log(sum of exp) that the docstring names, as much as its slope says."""
    start, settled = directions(6, 5).astype(np.float64), directions(9, 5, seed=1).astype(np.float64)
    sharpness = 2 * np.sqrt(5)

    def height(points):
        own = points @ points.T - 3 * np.eye(6)
        return np.log(np.exp(sharpness * np.concatenate([points @ settled.T, own], axis=1)).sum(axis=1)).sum()

    moved = spread(start, settled, steps=1, xp=np)
    direction = moved - start
    direction -= (direction * start).sum(axis=1)[:, None] * start
    numeric = np.zeros_like(start)
    for index in np.ndindex(start.shape):
        change = np.zeros_like(start)
        change[index] = 1e-6
        numeric[index] = (height(start + change) - height(start - change)) / 2e-6
    numeric -= (numeric * start).sum(axis=1)[:, None] * start

    for row in range(6):
        assert direction[row] @ -numeric[row] > 0.999999 * np.linalg.norm(direction[row]) * np.linalg.norm(numeric[row])


def test_settled_points_may_be_more_than_a_block_of_columns():
    settled = directions(COLUMNS + 50, 3, seed=1)

    together = spread(directions(4, 3), settled, steps=3, xp=np)
    alone = spread(directions(4, 3), np.concatenate([settled[50:], settled[:50]]), steps=3, xp=np)

    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_a_pull_leads_towards_the_gallery():
    gallery = unit(directions(200, 16, seed=1) + 2 * np.eye(16, dtype=np.float32)[0])
    start, none = directions(50, 16), np.empty((0, 16), dtype=np.float32)

    free, weak, strong = (spread(start, none, steps=50, gallery=gallery, pull=pull, xp=np) for pull in (0.0, 0.5, 5.0))

    assert nearest(free, gallery).mean() < nearest(weak, gallery).mean() < nearest(strong, gallery).mean()
    assert nearest(free).mean() < nearest(weak).mean() < nearest(strong).mean()


@pytest.mark.parametrize("pull", [0.0, 0.5])
def test_torch_moves_points_where_numpy_does(pull):
    start, settled, gallery = directions(40, 12), directions(100, 12, seed=1), directions(60, 12, seed=2)

    ours = spread(start, settled, steps=5, gallery=gallery, pull=pull, xp=np)
    theirs = spread(
        *(torch.from_numpy(array) for array in (start, settled)),
        steps=5,
        gallery=torch.from_numpy(gallery),
        pull=pull,
        xp=torch,
    )

    np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-4)
