import numpy as np
import pytest
import warp as wp

from synth.rendering.kernels.noise import fractal_noise, hash_unit, spots, value_noise


@wp.kernel
def evaluate(points: wp.array(dtype=wp.vec3), density: float, values: wp.array2d(dtype=float)):
    i = wp.tid()
    values[i, 0] = hash_unit(i, 2 * i, 3, 5)
    values[i, 1] = value_noise(points[i], 7)
    values[i, 2] = fractal_noise(points[i], 7, 3)
    values[i, 3] = spots(points[i], 11, density)


def noise(points, density=0.3):
    values = wp.zeros((len(points), 4), dtype=float, device="cpu")
    arguments = [wp.array(points.astype(np.float32), dtype=wp.vec3, device="cpu"), density]
    wp.launch(evaluate, len(points), arguments, [values], device="cpu")
    return values.numpy()


@pytest.fixture(scope="module")
def points():
    return np.random.default_rng(0).uniform(-20, 20, (20_000, 3))


def test_hashes_are_uniform(points):
    hashes = noise(points)[:, 0]
    counts, _ = np.histogram(hashes, bins=10, range=(0, 1))
    assert np.abs(counts / len(points) - 0.1).max() < 0.01


def test_noise_is_bounded_centred_and_smooth(points):
    values, near = noise(points), noise(points + 1e-3)
    for column in (1, 2):
        assert np.abs(values[:, column]).max() <= 1
        assert abs(values[:, column].mean()) < 0.02
        assert np.abs(near[:, column] - values[:, column]).max() < 0.03


def test_spots_grow_in_number_with_density(points):
    none, few, many = (noise(points, density)[:, 3] for density in (0.0, 0.1, 0.5))
    assert not none.any()
    assert 0 < (few > 0).mean() < (many > 0).mean()
    assert (many >= few - 1e-6).all()
