import numpy as np
import pytest
import torch

from synth.errors import VectorsError
from synth.samplers.from_file import FileSampler
from synth.similarity import unit


@pytest.fixture
def save(tmp_path):
    def write(array):
        np.save(tmp_path / "vectors.npy", array)
        return str(tmp_path / "vectors.npy")

    return write


def vectors(count=10, dimension=6):
    return unit(np.random.default_rng(0).standard_normal((count, dimension)))


def test_vectors_come_in_the_order_of_the_file(save):
    sampler = FileSampler(path=save(vectors()), space="arcface")

    assert (sampler.sample(4, seed=1) == vectors()[:4]).all()
    assert (sampler.dimension, sampler.norm, sampler.space) == (6, "unit", "arcface")


def test_float16_files_become_exact_unit_vectors(save):
    sampler = FileSampler(path=save(vectors().astype(np.float16)))

    found = sampler.sample(10, seed=1)

    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(found, vectors(), atol=1e-3)


def test_raw_vectors_keep_their_length(save):
    sampler = FileSampler(path=save(vectors() * 21.9), norm="raw")

    np.testing.assert_allclose(np.linalg.norm(sampler.sample(10, seed=1), axis=1), 21.9, rtol=1e-5)
    assert sampler.norm == "raw"


def test_a_bound_passes_over_vectors_whatever_their_length(save):
    first, second, third = np.eye(3, dtype=np.float32)
    sampler = FileSampler(
        path=save(np.array([first, 5 * first + second, 3 * second, third])), norm="raw", max_similarity=0.5
    )

    assert sampler.sample(3, seed=1).tolist() == [first.tolist(), (3 * second).tolist(), third.tolist()]


def test_non_unit_vectors_are_named_where_unit_is_declared(save):
    array = vectors()
    array[3] *= 2

    with pytest.raises(VectorsError, match=r"vectors\.npy: row 3 has length 2 \(1 of 10 rows .*norm: raw"):
        FileSampler(path=save(array))


def test_too_few_vectors_are_reported_with_what_there_are(save):
    with pytest.raises(VectorsError, match=r"vectors\.npy: 11 identity vectors wanted, there are 10"):
        FileSampler(path=save(vectors())).sample(11, seed=1)


def test_too_few_separate_vectors_are_reported(save):
    sampler = FileSampler(path=save(np.repeat(vectors(3), 5, axis=0)), max_similarity=0.9)

    with pytest.raises(VectorsError, match=r"4 identity vectors .* found 3 among 15 candidates, and there are no more"):
        sampler.sample(4, seed=1)


def test_a_bound_out_of_range_is_refused(save):
    with pytest.raises(ValueError, match="max_similarity"):
        FileSampler(path=save(vectors()), max_similarity=2.0)


def test_contexts_pickled_by_torch_are_refused_with_the_command_that_converts_them(tmp_path):
    path = tmp_path / "contexts.npy"
    torch.save({"0": torch.ones(4)}, path)

    with pytest.raises(VectorsError, match=r"`synth weights convert .*contexts\.npy OUT\.npy` makes one"):
        FileSampler(path=str(path))
