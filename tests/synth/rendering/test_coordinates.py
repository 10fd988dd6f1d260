import numpy as np
import pytest

from synth.rendering.coordinates import BLOCKS, VECTOR_SIZE, read_coordinates, uniform
from tests.synth.rendering.vectors import close_vector, random_vectors


def test_blocks_use_most_of_the_vector_and_fit_in_it():
    assert 350 <= sum(BLOCKS.values()) <= VECTOR_SIZE


def test_coordinates_of_random_vectors_are_standard_normal():
    rows = [np.concatenate(list(read_coordinates(vector).values())) for vector in random_vectors(200)]
    assert abs(np.mean(rows)) < 0.02
    assert abs(np.std(rows) - 1) < 0.02
    assert np.abs(np.corrcoef(np.array(rows)[:, :40].T) - np.eye(40)).max() < 0.35


def test_only_the_direction_of_a_vector_counts():
    vector = random_vectors(1)[0]
    one, ten = read_coordinates(vector), read_coordinates(vector * 10)
    for name in BLOCKS:
        np.testing.assert_allclose(one[name], ten[name], rtol=1e-5, atol=1e-6)


def test_the_rotation_keeps_angles():
    vector = random_vectors(1)[0]
    near = close_vector(vector, 0.98)
    gap = sum(np.sum((read_coordinates(vector)[n] - read_coordinates(near)[n]) ** 2) for n in BLOCKS)
    whole = 2 * 512 * (1 - 0.98)
    assert 0.7 * whole < gap < whole


@pytest.mark.parametrize("bad", [np.zeros(512), np.full(512, np.nan), np.ones(128)])
def test_vectors_without_direction_are_refused(bad):
    with pytest.raises(ValueError, match="vector: expected"):
        read_coordinates(bad.astype(np.float32))


def test_uniform_maps_the_median_to_one_half():
    np.testing.assert_allclose(uniform(np.array([-9.0, 0.0, 9.0])), [0, 0.5, 1], atol=1e-12)
