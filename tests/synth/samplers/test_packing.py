import numpy as np
import pytest
import torch

from synth.errors import VectorsError
from synth.samplers.gaussian import GaussianSampler
from synth.samplers.packing import TILE, PackingSampler
from synth.samplers.pca_gaussian import PcaGaussianSampler
from synth.similarity import unit
from synth.vectors.statistics import fit_statistics
from synth.vectors.statistics_files import write_statistics
from tests.synth.vectors.test_packing import nearest
from tests.synth.vectors.test_statistics import cloud


@pytest.fixture
def embeddings(tmp_path):
    vectors = cloud(600, dimension=16, offset=1.0)
    np.save(tmp_path / "embeddings.npy", vectors)
    return vectors


@pytest.fixture
def statistics(tmp_path, embeddings):
    write_statistics(tmp_path / "raw.npz", fit_statistics([embeddings], norm="raw", space="sface"))
    write_statistics(tmp_path / "unit.npz", fit_statistics([embeddings]))
    return tmp_path


def test_packed_vectors_are_much_further_apart_than_random_ones():
    packed = PackingSampler(dimension=64).sample(TILE, seed=1)
    random = GaussianSampler(dimension=64).sample(TILE, seed=1)

    assert nearest(random).mean() > 0.35
    assert nearest(packed).mean() < 0.19
    assert nearest(packed).max() < 0.20


def test_a_larger_count_keeps_the_tiles_before_and_spreads_beside_them():
    sampler = PackingSampler(dimension=32, steps=10)

    many = sampler.sample(TILE + 300, seed=1)

    assert (many[:TILE] == sampler.sample(TILE, seed=1)).all()
    assert (many[:100] == sampler.sample(100, seed=1)).all()
    assert nearest(many[TILE:], many[:TILE]).max() < 0.5
    assert nearest(GaussianSampler(dimension=32).sample(300, seed=1), many[:TILE]).max() > 0.6


def test_other_seeds_give_other_vectors():
    sampler = PackingSampler(dimension=16, steps=5)

    assert np.abs(sampler.sample(10, seed=1) - sampler.sample(10, seed=2)).min(axis=1).max() > 0.01


def test_statistics_say_dimension_norm_and_space_and_raw_vectors_keep_their_length(statistics):
    options = {"statistics": str(statistics / "raw.npz")}
    sampler = PackingSampler(**options, steps=4)

    lengths = np.linalg.norm(sampler.sample(1000, seed=1), axis=1)

    drawn = np.linalg.norm(PcaGaussianSampler(**options).sample(1000, seed=1), axis=1)
    assert (sampler.dimension, sampler.norm, sampler.space) == (16, "raw", "sface")
    assert lengths.mean() == pytest.approx(drawn.mean(), rel=0.05)
    assert lengths.std() == pytest.approx(drawn.std(), rel=0.1)


def test_the_pull_keeps_points_nearer_to_the_reference_and_each_other(statistics, embeddings):
    apart, near = (
        PackingSampler(statistics=str(statistics / "unit.npz"), pull=pull, steps=10).sample(300, seed=1)
        for pull in (0.0, 2.0)
    )

    assert nearest(apart, unit(embeddings)).mean() < nearest(near, unit(embeddings)).mean() - 0.05
    assert nearest(apart).mean() < nearest(near).mean()


def test_a_file_of_embeddings_is_a_reference_too(tmp_path, embeddings):
    options = {"embeddings": str(tmp_path / "embeddings.npy"), "space": "sface", "steps": 4}

    unit_norm, raw = PackingSampler(**options), PackingSampler(**options, norm="raw")

    assert (unit_norm.dimension, unit_norm.norm, unit_norm.space) == (16, "unit", "sface")
    np.testing.assert_allclose(np.linalg.norm(unit_norm.sample(50, seed=1), axis=1), 1, atol=1e-6)
    lengths = np.linalg.norm(raw.sample(1000, seed=1), axis=1)
    assert lengths.mean() == pytest.approx(np.linalg.norm(embeddings, axis=1).mean(), rel=0.05)


def test_few_embeddings_are_enough_to_start_from(tmp_path, embeddings):
    np.save(tmp_path / "few.npy", embeddings[:5])

    assert PackingSampler(embeddings=str(tmp_path / "few.npy"), steps=3).sample(8, seed=1).shape == (8, 16)
    np.save(tmp_path / "one.npy", embeddings[:1])
    with pytest.raises(VectorsError, match="packing: embeddings: "):
        PackingSampler(embeddings=str(tmp_path / "one.npy")).sample(8, seed=1)


def test_a_bound_that_cannot_be_kept_is_told():
    sampler = PackingSampler(dimension=3, steps=3, max_similarity=0.2)

    with pytest.raises(VectorsError, match=r"packing: \d+ of 500 identity vectors .* max_similarity 0.2; lower"):
        sampler.sample(500, seed=1)


def test_a_gpu_spreads_as_a_cpu_does_and_where_there_is_none_that_is_told(caplog):
    here = PackingSampler(dimension=8, steps=2).sample(50, seed=1)

    there = PackingSampler(dimension=8, steps=2, device="cuda:0").sample(50, seed=1)

    np.testing.assert_allclose(there, here, atol=1e-3)
    assert ("torch has no cuda:0" in caplog.text) != torch.cuda.is_available()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dimension": 1}, "dimension 1: must be at least 2"),
        ({"pull": -1.0}, "pull -1.0"),
        ({"pull": float("nan")}, "pull nan"),
        ({"steps": 0}, "steps 0"),
        ({"max_similarity": 2.0}, "max_similarity 2.0"),
        ({"norm": "raw", "key": "a"}, "key, norm: says something about `embeddings`, and none are given"),
        ({"statistics": "unit.npz", "embeddings": "e.npy"}, "two references; remove one"),
        ({"statistics": "unit.npz", "space": "sface"}, "space: comes from the file in `statistics`"),
        ({"embeddings": "e.npy", "dimension": 16}, "dimension: comes from the file in `embeddings`"),
    ],
)
def test_options_that_cannot_be_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        PackingSampler(**options)
