import math

import numpy as np
import pytest

from synth.similarity import centroids, cosine, cosine_matrix, leave_one_out, nearest, separate, unit


def vectors(count, dimension=16, seed=0):
    return np.random.default_rng(seed).standard_normal((count, dimension)).astype(np.float32)


def separate_slowly(rows, bound):
    """The definition, pair by pair, with exact sums."""
    directions = unit(rows).astype(np.float64)
    kept = []
    for number, row in enumerate(directions):
        if all(math.fsum(row * directions[other]) <= bound for other in kept):
            kept.append(number)
    return np.isin(np.arange(len(rows)), kept)


def test_unit_vectors_have_length_one_and_zeros_stay_zero():
    rows = np.concatenate([vectors(5) * 100, np.zeros((1, 16), dtype=np.float32)])

    directions = unit(rows)

    assert directions.dtype == np.float32
    assert np.linalg.norm(directions, axis=1) == pytest.approx([1, 1, 1, 1, 1, 0], abs=1e-6)


def test_cosine_compares_row_by_row():
    first = np.array([[1, 0], [1, 1], [0, 2]], dtype=np.float32)
    second = np.array([[0, 5], [2, 2], [0, -1]], dtype=np.float32)

    assert cosine(first, second) == pytest.approx([0, 1, -1], abs=1e-6)


def test_cosine_matrix_compares_all_rows():
    first, second = vectors(4), vectors(6, seed=1)

    matrix = cosine_matrix(first, second)

    assert matrix.shape == (4, 6)
    assert matrix[2] == pytest.approx(cosine(np.repeat(first[2:3], 6, axis=0), second), abs=1e-6)


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_nearest_finds_the_largest_cosine_for_any_block(block):
    queries, gallery = vectors(30), vectors(41, seed=1)

    similarity, row = nearest(queries, gallery, block=block)

    everything = cosine_matrix(queries, gallery)
    assert np.array_equal(row, everything.argmax(axis=1))
    assert similarity == pytest.approx(everything.max(axis=1), abs=1e-6)


def test_centroids_are_mean_directions_in_order_of_the_groups():
    rows = np.array([[0, 3], [1, 0], [0, 1], [9, 0]], dtype=np.float32)

    means = centroids(rows, np.array([7, 2, 2, 2]))

    assert means == pytest.approx(np.array([[2, 1] / np.sqrt(5), [0, 1]]), abs=1e-6)


def test_leave_one_out_compares_with_the_others_of_the_group():
    rows = np.array([[1, 0], [0, 1], [0, 1], [1, 0]], dtype=np.float32)

    similarities = leave_one_out(rows, np.array([5, 5, 5, 6]))

    assert similarities[0] == pytest.approx(0, abs=1e-6)
    assert similarities[1] == pytest.approx(np.sqrt(0.5), abs=1e-6)
    assert np.isnan(similarities[3])


def test_leave_one_out_leaves_rows_of_zeros_out():
    rows = np.array([[1, 0], [1, 0], [0, 0]], dtype=np.float32)

    similarities = leave_one_out(rows, np.zeros(3, dtype=np.int64))

    assert similarities[:2] == pytest.approx([1, 1])
    assert np.isnan(similarities[2])


@pytest.mark.parametrize("block", [1, 3, 64, 500])
@pytest.mark.parametrize("bound", [-0.2, 0.0, 0.3, 0.6])
def test_separate_keeps_what_the_definition_keeps_for_any_block(bound, block):
    rows = vectors(300)

    assert np.array_equal(separate(rows, bound, block=block), separate_slowly(rows, bound))


def test_separated_vectors_are_apart_and_the_others_are_not():
    rows = vectors(400)

    kept = separate(rows, 0.5)

    among = cosine_matrix(rows[kept], rows[kept]) - 2 * np.eye(kept.sum())
    assert among.max() <= 0.5
    assert cosine_matrix(rows[~kept], rows[kept]).max(axis=1).min() > 0.5


def ties():
    """Returns rows, and a bound that is the cosine of many pairs, or one step of float32 from it."""
    angles = np.repeat(np.linspace(0, 3, 40), 3)
    rows = np.zeros((120, 64), dtype=np.float32)
    rows[:, 0], rows[:, 1] = np.cos(angles), np.sin(angles)
    rows += np.random.default_rng(0).choice([-6e-8, 0, 6e-8], rows.shape).astype(np.float32)
    return rows, float(np.cos(angles[3]))


@pytest.mark.parametrize("block", [2, 5, 100])
def test_ties_at_the_bound_are_decided_exactly(block):
    rows, bound = ties()

    assert np.array_equal(separate(rows, bound, block=block), separate_slowly(rows, bound))


def test_equal_vectors_pass_a_bound_of_one_or_more():
    rows = np.repeat(vectors(1), 4, axis=0)

    assert separate(rows, 1.1).all()
    assert separate(rows, 0.99).tolist() == [True, False, False, False]


def test_the_first_of_two_similar_vectors_stays():
    rows = np.array([[0, 1], [1, 0], [1, 0.01], [0, 1]], dtype=np.float32)

    assert separate(rows, 0.9).tolist() == [True, True, False, False]


def test_no_vectors_are_separate():
    assert separate(np.empty((0, 8), dtype=np.float32), 0.5).shape == (0,)
