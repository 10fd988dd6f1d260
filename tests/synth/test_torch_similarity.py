"""The choice on a torch device against the definition, pair by pair; here the device is the CPU."""

import numpy as np
import pytest
import torch

from synth.similarity import separate, unit
from synth.torch_similarity import separate_on
from tests.synth.test_similarity import separate_slowly, ties, vectors

CPU = torch.device("cpu")


@pytest.mark.parametrize("block", [1, 3, 64, 500])
@pytest.mark.parametrize("bound", [-0.2, 0.0, 0.3, 0.6, 1.1])
def test_it_keeps_what_the_definition_keeps_for_any_block(bound, block):
    rows = vectors(300)

    assert np.array_equal(separate_on(CPU, rows, bound, block=block), separate_slowly(rows, bound))


@pytest.mark.parametrize("block", [2, 5, 100])
def test_ties_at_the_bound_are_decided_exactly(block):
    rows, bound = ties()

    assert np.array_equal(separate_on(CPU, rows, bound, block=block), separate_slowly(rows, bound))


def test_a_crowd_with_near_copies_is_decided_as_in_numpy():
    random = np.random.default_rng(1)
    rows = unit(random.standard_normal((3000, 48)))
    rows[1500:] = unit(0.9 * rows[random.integers(0, 1500, 1500)] + 0.2 * rows[1500:])

    found = separate_on(CPU, rows, 0.6, block=256)

    assert np.array_equal(found, separate(rows, 0.6))
    assert 100 < found.sum() < 1500


def test_settled_rows_stay_and_are_not_compared_with_each_other():
    rows = np.array([[1, 0], [1, 0], [1, 0.01], [0, 1], [0, 1]], dtype=np.float32)

    for choose in (lambda *a, **k: separate_on(CPU, *a, **k), separate):
        assert choose(rows, 0.9, num_settled=2).tolist() == [True, True, False, True, False]


def test_no_vectors_are_separate():
    assert separate_on(CPU, np.empty((0, 8), dtype=np.float32), 0.5).shape == (0,)


def test_the_vectors_of_the_caller_stay_as_they_are():
    rows = vectors(200)
    before = rows.copy()

    separate_on(CPU, rows, 0.2, block=16)

    assert (rows == before).all()


def test_a_device_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="device 'cuda:99'"):
        separate(vectors(3), 0.5, device="cuda:99")
