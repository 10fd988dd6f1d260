import numpy as np
import pytest

from synth.errors import VectorsError
from synth.samplers.gaussian import BLOCK, GaussianSampler
from synth.seeding import sample_seed
from synth.similarity import cosine_matrix, unit


def test_directions_are_uniform_on_the_sphere():
    dimension, count = 64, 4000

    vectors = GaussianSampler(dimension=dimension).sample(count, seed=1).astype(np.float64)

    np.testing.assert_allclose(vectors.mean(axis=0), 0, atol=5 / np.sqrt(count * dimension))
    np.testing.assert_allclose(vectors.T @ vectors / count, np.eye(dimension) / dimension, atol=6 / dimension / 60)
    similarities = cosine_matrix(vectors[:500], vectors[500:1000])
    assert similarities.std() == pytest.approx(1 / np.sqrt(dimension), rel=0.02)


def test_other_seeds_give_other_vectors():
    sampler = GaussianSampler(dimension=16)

    assert np.abs(sampler.sample(10, seed=1) - sampler.sample(10, seed=2)).min(axis=1).max() > 0.01


def test_vectors_do_not_depend_on_how_many_blocks_are_drawn():
    sampler = GaussianSampler(dimension=4)

    many = sampler.sample(2 * BLOCK + 5, seed=1)

    assert (many[: BLOCK + 1] == sampler.sample(BLOCK + 1, seed=1)).all()
    assert len(np.unique(many, axis=0)) == len(many)


def test_a_loose_bound_changes_nothing():
    free, bounded = GaussianSampler(dimension=512), GaussianSampler(dimension=512, max_similarity=0.9)

    assert (free.sample(300, seed=1) == bounded.sample(300, seed=1)).all()


def test_rejected_candidates_are_passed_over_in_order():
    free = GaussianSampler(dimension=8).sample(2000, seed=1)
    bounded = GaussianSampler(dimension=8, max_similarity=0.6).sample(50, seed=1)

    kept: list[np.ndarray] = []
    for vector in free.astype(np.float64):
        if all(vector @ other <= 0.6 for other in kept):
            kept.append(vector)

    np.testing.assert_array_equal(bounded, np.array(kept[:50], dtype=np.float32))


def test_a_bound_without_room_is_reported_with_what_was_found():
    sampler = GaussianSampler(dimension=4, max_similarity=0.2)

    with pytest.raises(VectorsError, match=r"1000 identity vectors .* found \d+ among \d+ candidates.*raise max_sim"):
        sampler.sample(1000, seed=1)


def test_a_seed_means_the_same_as_ever():
    random = np.random.Generator(np.random.PCG64(sample_seed(5, "samplers.gaussian", 0)))
    expected = unit(random.standard_normal((BLOCK, 16)))

    assert (GaussianSampler(dimension=16).sample(BLOCK, seed=5) == expected).all()


def test_raw_vectors_have_independent_coordinates_of_the_declared_spread():
    vectors = GaussianSampler(norm="raw", std=0.96731).sample(3000, seed=1).astype(np.float64)

    lengths = np.linalg.norm(vectors, axis=1)
    assert vectors.mean() == pytest.approx(0, abs=0.005)
    assert vectors.std() == pytest.approx(0.96731, rel=0.005)
    assert lengths.mean() == pytest.approx(21.9, abs=0.1)
    assert lengths.std() == pytest.approx(0.96731 / np.sqrt(2), rel=0.1)


def test_raw_vectors_point_where_the_unit_ones_of_the_same_seed_do():
    raw = GaussianSampler(dimension=16, norm="raw", std=2.0, max_similarity=0.6)

    assert raw.norm == "raw"
    np.testing.assert_allclose(
        unit(raw.sample(40, seed=1)), GaussianSampler(dimension=16, max_similarity=0.6).sample(40, seed=1), atol=1e-6
    )


def test_a_gpu_that_is_not_there_changes_no_vector():
    here = GaussianSampler(dimension=8, max_similarity=0.6).sample(50, seed=1)

    assert (GaussianSampler(dimension=8, max_similarity=0.6, device="cuda:0").sample(50, seed=1) == here).all()


@pytest.mark.parametrize(
    "options",
    [
        {"dimension": 0},
        {"max_similarity": 1.5},
        {"max_similarity": -2.0},
        {"std": 0.0, "norm": "raw"},
        {"std": float("inf"), "norm": "raw"},
        {"std": 2.0},
    ],
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        GaussianSampler(**options)
