import numpy as np
import pytest

from synth.similarity import unit
from synth.vectors.statistics import fit_statistics


def cloud(count=500, dimension=12, offset=0.0, seed=0):
    random = np.random.default_rng(seed)
    mixed = random.standard_normal((count, dimension)) @ random.standard_normal((dimension, dimension))
    return (mixed + offset).astype(np.float32)


def blocks(vectors, size=64):
    return (vectors[start : start + size] for start in range(0, len(vectors), size))


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_mean_and_components_are_those_of_the_covariance(offset):
    vectors = cloud(offset=offset)

    found = fit_statistics(blocks(vectors), norm="raw")

    wide = vectors.astype(np.float64)
    covariance = found.components.T @ np.diag(found.deviations**2) @ found.components
    np.testing.assert_allclose(found.mean, wide.mean(axis=0), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(covariance, np.cov(wide.T), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.components @ found.components.T, np.eye(12), atol=1e-12)
    assert (np.diff(found.deviations) <= 0).all()
    assert (found.norm, found.space, found.count) == ("raw", None, 500)


def test_fewer_components_are_the_widest_ones():
    every = fit_statistics(blocks(cloud()), norm="raw")

    some = fit_statistics(blocks(cloud()), norm="raw", components=3)

    assert some.components.shape == (3, 12)
    assert (some.components == every.components[:3]).all()
    assert (some.deviations == every.deviations[:3]).all()


def test_unit_norm_scales_each_vector_first():
    vectors = cloud()
    lengths = np.random.default_rng(1).uniform(1, 30, (500, 1)).astype(np.float32)

    stretched = fit_statistics(blocks(vectors * lengths))
    plain = fit_statistics(blocks(unit(vectors)), norm="raw")

    np.testing.assert_allclose(stretched.mean, plain.mean, atol=1e-7)
    np.testing.assert_allclose(stretched.deviations, plain.deviations, atol=1e-6)


def test_how_the_file_is_cut_hardly_matters():
    first, second = fit_statistics(blocks(cloud(), 500)), fit_statistics(blocks(cloud(), 7))

    np.testing.assert_allclose(first.components, second.components, atol=1e-9)


@pytest.mark.parametrize(
    ("count", "components", "message"),
    [
        (12, None, "12 vectors determine at most 11 components, 12 are wanted"),
        (5, 5, "5 vectors determine at most 4 components, 5 are wanted"),
        (1, 1, "1 vectors determine at most 0 components"),
    ],
)
def test_more_components_than_vectors_determine_are_refused(count, components, message):
    with pytest.raises(ValueError, match=message):
        fit_statistics(blocks(cloud(count)), components=components)


def test_as_many_components_as_vectors_determine_are_fitted():
    assert fit_statistics(blocks(cloud(5)), components=4).components.shape == (4, 12)


@pytest.mark.parametrize("components", [0, 13])
def test_numbers_of_components_that_cannot_be_are_refused(components):
    with pytest.raises(ValueError, match="vectors of 12 numbers have 1 to 12 components"):
        fit_statistics(blocks(cloud()), components=components)
