import numpy as np
import pytest

from synth.audits.pairs import closest_pairs, pair_blocks
from synth.similarity import cosine_matrix
from tests.synth.audits.crowds import crowd


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_each_pair_comes_once_with_its_cosine_for_any_block(block):
    embeddings, _ = crowd(5, 4)
    everything = np.full((20, 20), -np.inf, dtype=np.float32)

    for start, other, similarities in pair_blocks(embeddings, block):
        rows, columns = similarities.shape
        everything[start : start + rows, other : other + columns] = similarities

    upper = np.triu_indices(20, k=1)
    assert everything[upper] == pytest.approx(cosine_matrix(embeddings, embeddings)[upper], abs=1e-6)
    assert (everything[np.tril_indices(20)] == -np.inf).all()


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_closest_pairs_are_the_first_of_all_pairs_for_any_block(block):
    embeddings, _ = crowd(5, 4)
    cosines = cosine_matrix(embeddings, embeddings)
    first, second = np.triu_indices(20, k=1)
    order = np.argsort(-cosines[first, second], kind="stable")[:9]

    found = closest_pairs(embeddings, 9, block)

    assert found.pairs.tolist() == [[first[k], second[k]] for k in order]
    assert found.similarities == pytest.approx(cosines[first, second][order], abs=1e-6)


def test_equal_pairs_come_in_the_order_of_their_rows():
    found = closest_pairs(np.tile([[0.0, 1.0]], (4, 1)), 3, block=2)

    assert found.pairs.tolist() == [[0, 1], [0, 2], [0, 3]]


def test_one_vector_has_no_pairs():
    assert closest_pairs(np.ones((1, 3)), 5).pairs.shape == (0, 2)
