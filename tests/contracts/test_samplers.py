"""What every sampler in synth/samplers must do."""

import numpy as np
import pytest

from synth.components import ComponentSpec, available, build
from synth.similarity import cosine_matrix, unit
from synth.vectors.statistics import fit_statistics
from synth.vectors.statistics_files import write_statistics

SAMPLERS = available("sampler")
DIMENSION = 24


@pytest.fixture(params=SAMPLERS)
def sampler(request, tmp_path):
    """Builds each sampler with a bound that passes over some candidates."""
    np.save(tmp_path / "vectors.npy", unit(np.random.default_rng(1).standard_normal((3000, DIMENSION))))
    embeddings = np.random.default_rng(2).standard_normal((200, DIMENSION)).astype(np.float32)
    write_statistics(tmp_path / "statistics.npz", fit_statistics([embeddings]))
    options = {
        "gaussian": {"dimension": DIMENSION, "max_similarity": 0.5},
        "from_file": {"path": str(tmp_path / "vectors.npy"), "max_similarity": 0.5},
        "packing": {"dimension": DIMENSION, "steps": 10, "max_similarity": 0.5},
        "pca_gaussian": {"statistics": str(tmp_path / "statistics.npz"), "max_similarity": 0.5},
    }
    if request.param not in options:
        pytest.fail(f"no options for the sampler '{request.param}': add them to this test")
    return build(ComponentSpec("sampler", request.param, options[request.param]))


def test_vectors_have_the_declared_shape_dtype_and_norm(sampler):
    vectors = sampler.sample(120, seed=7)

    assert vectors.shape == (120, sampler.dimension)
    assert vectors.dtype == np.float32
    if sampler.norm == "unit":
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_a_larger_count_starts_with_the_same_vectors(sampler):
    assert (sampler.sample(120, seed=7)[:100] == sampler.sample(100, seed=7)).all()


def test_the_same_seed_gives_the_same_vectors(sampler):
    assert (sampler.sample(50, seed=7) == sampler.sample(50, seed=7)).all()


def test_no_two_vectors_exceed_the_bound(sampler):
    vectors = sampler.sample(150, seed=7)

    assert (cosine_matrix(vectors, vectors) - 2 * np.eye(150)).max() <= 0.5 + 1e-6


def test_sampling_leaves_the_global_random_state_alone(sampler):
    np.random.seed(3)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002

    sampler.sample(10, seed=7)

    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_no_vectors_can_be_had_too(sampler):
    assert sampler.sample(0, seed=7).shape == (0, sampler.dimension)
