import numpy as np
import pytest

from synth.errors import VectorsError
from synth.samplers.pca_gaussian import BLOCK, PcaGaussianSampler
from synth.similarity import cosine_matrix
from synth.vectors.statistics import fit_statistics
from synth.vectors.statistics_files import write_statistics
from tests.synth.vectors.test_statistics import blocks, cloud


@pytest.fixture
def fitted(tmp_path):
    def fit(vectors, **options):
        write_statistics(tmp_path / "statistics.npz", fit_statistics(blocks(vectors), **options))
        return str(tmp_path / "statistics.npz")

    return fit


def test_vectors_spread_like_the_fitted_ones(fitted):
    embeddings = cloud(4000, offset=3.0).astype(np.float64)
    sampler = PcaGaussianSampler(statistics=fitted(embeddings, norm="raw", space="sface"))

    vectors = sampler.sample(20_000, seed=1).astype(np.float64)

    scale = np.sqrt(embeddings.var(axis=0))
    np.testing.assert_allclose(vectors.mean(axis=0), embeddings.mean(axis=0), atol=0.05 * scale.max())
    np.testing.assert_allclose(np.cov(vectors.T), np.cov(embeddings.T), atol=0.05 * scale.max() ** 2)
    assert (sampler.norm, sampler.space, sampler.dimension) == ("raw", "sface", 12)


def test_of_unit_norm_all_vectors_have_length_one(fitted):
    sampler = PcaGaussianSampler(statistics=fitted(cloud(offset=1.0)))

    vectors = sampler.sample(500, seed=1)

    assert sampler.norm == "unit"
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_with_few_components_vectors_stay_in_their_span(fitted):
    embeddings = cloud().astype(np.float64)
    sampler = PcaGaussianSampler(statistics=fitted(embeddings, norm="raw", components=3))

    offsets = sampler.sample(200, seed=1) - embeddings.mean(axis=0)

    values = np.linalg.svd(offsets, compute_uv=False)
    assert values[2] > 1
    assert values[3] < 1e-4


def test_vectors_do_not_depend_on_how_many_blocks_are_drawn(fitted):
    sampler = PcaGaussianSampler(statistics=fitted(cloud()))

    many = sampler.sample(2 * BLOCK + 5, seed=1)

    assert (many[: BLOCK + 1] == sampler.sample(BLOCK + 1, seed=1)).all()
    assert len(np.unique(many, axis=0)) == len(many)
    assert np.abs(many[:10] - sampler.sample(10, seed=2)).min(axis=1).max() > 0.01


def test_rejection_bites_where_the_embeddings_have_a_common_direction(fitted):
    statistics = fitted(cloud(offset=2.0))
    bounded = PcaGaussianSampler(statistics=statistics, max_similarity=0.8).sample(40, seed=1)
    free = PcaGaussianSampler(statistics=statistics).sample(40, seed=1)

    assert (cosine_matrix(bounded, bounded) - 2 * np.eye(40)).max() <= 0.8
    assert (cosine_matrix(free, free) - 2 * np.eye(40)).max() > 0.9


def test_no_fitted_vector_comes_back(fitted):
    embeddings = cloud(600, dimension=24)

    vectors = PcaGaussianSampler(statistics=fitted(embeddings)).sample(1000, seed=1)

    assert cosine_matrix(vectors, embeddings).max() < 0.99


def test_a_damaged_file_or_bound_is_refused(fitted, tmp_path):
    with pytest.raises(ValueError, match="max_similarity"):
        PcaGaussianSampler(statistics=fitted(cloud()), max_similarity=2.0)
    (tmp_path / "statistics.npz").write_bytes(b"PK")
    with pytest.raises(VectorsError, match="cannot be read"):
        PcaGaussianSampler(statistics=str(tmp_path / "statistics.npz"))
