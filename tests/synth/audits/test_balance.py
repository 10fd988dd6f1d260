import math

import numpy as np
import pytest

from synth.audits.balance import (
    group,
    is_constant_within,
    largest_to_smallest,
    mean_by_group,
    normalised_entropy,
)


def test_yes_and_no_are_two_groups_even_if_one_is_empty():
    groups = group(np.array([True, True]))

    assert list(groups.names) == ["no", "yes"]
    assert groups.counts.tolist() == [0, 2]


def test_names_come_most_frequent_first_and_rare_ones_are_put_together():
    names = np.array(["b", "b", "a", *(f"rare {k}" for k in range(20))], dtype=object)

    groups = group(names)

    assert groups.names[0] == "b"
    assert groups.names[-1] == "others"
    assert len(groups.names) == 12
    assert groups.counts.tolist() == [2, *[1] * 10, 11]


def test_few_whole_numbers_are_groups_as_they_are():
    groups = group(np.array([3, 1, 3], dtype=np.int32))

    assert (list(groups.names), groups.counts.tolist()) == (["1", "3"], [1, 2])


def test_a_measurement_is_cut_between_round_numbers_and_what_is_not_known_is_left_out():
    groups = group(np.array([18.0, 25.0, 29.9, 79.9, np.nan]))

    assert groups.names[0] == "10 to 20"
    assert groups.names[-1] == "70 to 80"
    assert groups.counts.tolist() == [1, 2, 0, 0, 0, 0, 1]
    assert groups.codes[-1] == -1


@pytest.mark.parametrize("values", [[5.0, 5.0], [np.nan, np.nan]])
def test_a_measurement_without_a_range_has_at_most_one_group(values):
    groups = group(np.array(values))

    assert groups.counts.tolist() == ([2] if values[0] == 5 else [])


def test_an_attribute_of_the_identity_is_one_that_no_class_mixes():
    labels = np.array([0, 1, 0, 1])

    assert is_constant_within(np.array(["x", "y", "x", "y"]), labels)
    assert not is_constant_within(np.array(["x", "y", "y", "y"]), labels)


def test_entropy_is_one_for_equal_groups_and_zero_for_a_single_one():
    assert normalised_entropy(np.array([5, 5, 5])) == pytest.approx(1)
    assert normalised_entropy(np.array([5, 0, 0])) == 0
    assert normalised_entropy(np.array([7])) == 0
    shares = np.array([0.9, 0.1])
    assert normalised_entropy(np.array([90, 10])) == pytest.approx(-(shares * np.log2(shares)).sum())


def test_the_largest_group_is_compared_with_the_smallest():
    assert largest_to_smallest(np.array([4, 12, 6])) == 3
    assert largest_to_smallest(np.array([4, 0])) == math.inf


def test_scores_are_averaged_over_pairs_within_a_group():
    groups = group(np.array(["x", "x", "y", "y", "y"]))
    pairs = np.array([[0, 1], [0, 2], [2, 3], [3, 4]])

    means, counts = mean_by_group(groups, pairs, np.array([0.5, 9.0, 0.2, 0.4]))

    named = dict(zip(groups.names, zip(means, counts, strict=True), strict=True))
    assert named["x"] == (0.5, 1)
    assert named["y"] == (pytest.approx(0.3), 2)


def test_a_group_without_pairs_has_no_mean():
    groups = group(np.array(["x", "x", "y"]))

    means, counts = mean_by_group(groups, np.array([[0, 1]]), np.array([0.5]))

    assert np.isnan(means).tolist() == [False, True]
    assert counts.tolist() == [1, 0]
