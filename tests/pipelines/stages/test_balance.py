import numpy as np
import pytest

from pipelines.stages.balance import grouped, largest_cap, surplus


def test_equal_values_are_a_group():
    assert grouped(np.array(["none", "full", "none"]), []).tolist() == [1, 0, 1]
    assert grouped(np.array([True, False]), []).tolist() == [1, 0]


def test_edges_cut_numbers_into_groups_and_belong_to_the_one_above():
    assert grouped(np.array([19.5, 20, 59, 61, 60], dtype=np.float32), [20, 60]).tolist() == [0, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("counts", "share", "cap"),
    [
        ([7, 3], 0.5, 3),
        ([7, 3], 0.7, 7),
        ([9, 2, 2], 0.5, 4),
        ([9, 2, 2], 0.34, 2),
        ([9, 2, 2], 0.3, 0),
        ([5], 0.9, 0),
        ([], 0.5, 0),
    ],
)
def test_the_cap_is_the_largest_that_keeps_each_share(counts, share, cap):
    assert largest_cap(np.array(counts, dtype=np.int64), share) == cap


def test_no_larger_cap_keeps_each_share():
    random = np.random.default_rng(0)
    for _ in range(200):
        counts, share = random.integers(1, 30, random.integers(1, 6)), random.uniform(0.1, 0.9)
        fits = [c for c in range(counts.max() + 1) if c <= share * np.minimum(counts, c).sum()]
        assert largest_cap(counts, share) == max(fits)


def test_the_first_members_of_each_group_stay():
    assert surplus(np.array([4, 1, 4, 4, 1]), 1).tolist() == [False, False, True, True, True]
    assert surplus(np.array([4, 1, 4, 4, 1]), 2).tolist() == [False, False, False, True, False]
    assert surplus(np.zeros(0, dtype=np.int64), 2).tolist() == []
