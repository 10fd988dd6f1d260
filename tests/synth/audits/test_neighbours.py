import numpy as np
import pytest

from synth.audits.neighbours import find_neighbours
from synth.similarity import cosine_matrix, separate, unit
from tests.synth.audits.crowds import crowd


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_the_nearest_other_centre_is_found_for_any_block(block):
    centres, _ = crowd(30, 1)
    cosines = cosine_matrix(centres, centres)
    np.fill_diagonal(cosines, -np.inf)

    found = find_neighbours(centres, block=block)

    assert found.similarities == pytest.approx(cosines.max(axis=1), abs=1e-6)
    assert np.array_equal(found.nearest, cosines.argmax(axis=1))


@pytest.mark.parametrize("block", [1, 4, 1000])
def test_planted_merged_identities_are_found_as_groups(block):
    centres, _ = crowd(20, 1)
    random = np.random.default_rng(1)
    for copy, original in ((5, 2), (11, 2), (17, 9)):
        centres[copy] = unit(centres[original : original + 1] + 0.02 * random.standard_normal((1, 64)))[0]

    found = find_neighbours(centres, 0.8, block=block)

    assert found.merged() == [[2, 5, 11], [9, 17]]
    assert found.num_above == 4
    assert {tuple(pair) for pair in found.closest.pairs[:4].tolist()} == {(2, 5), (2, 11), (5, 11), (9, 17)}


@pytest.mark.parametrize("block", [1, 3, 1000])
def test_a_chain_of_near_pairs_is_one_group(block):
    angles = np.radians([120, 0, 40, 200, 80])  # 0, 40, 80, 120 are a chain; 200 stands alone
    centres = np.stack([np.cos(angles), np.sin(angles)], axis=1)

    found = find_neighbours(centres, np.cos(np.radians(50)), block=block)

    assert found.components.tolist() == [0, 0, 0, 3, 0]
    assert found.merged() == [[0, 1, 2, 4]]


def test_what_was_separated_has_no_pair_above_the_same_bound():
    vectors, _ = crowd(400, 1, dimension=4)
    kept = vectors[separate(vectors, 0.9)]

    assert find_neighbours(kept, 0.9).num_above == 0
    assert find_neighbours(kept, float(find_neighbours(kept).similarities.max()) - 1e-3).num_above > 0


def test_a_pair_exactly_at_the_bound_is_within_it():
    centres = np.array([[1, 0], [0.6, 0.8]], dtype=np.float32)
    bound = float(np.float32(0.6))

    assert find_neighbours(centres, bound).num_above == 0
    assert find_neighbours(centres, np.nextafter(bound, 0)).num_above == 1


def test_one_centre_has_no_neighbour():
    found = find_neighbours(np.ones((1, 3)), 0.5)

    assert found.similarities.tolist() == [-np.inf]
    assert found.merged() == []


def test_many_equal_centres_are_one_group():
    found = find_neighbours(np.ones((300, 3)), 0.5, block=64)

    assert found.num_above == 300 * 299 // 2
    assert found.merged() == [list(range(300))]
