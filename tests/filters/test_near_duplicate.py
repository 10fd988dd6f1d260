import numpy as np
import pytest

from filters.near_duplicate import NearDuplicate
from tests.filters.batches import batch, directions


def test_only_lower_indices_count():
    numbers = NearDuplicate().measure(batch(directions(0, 60, 10)))

    assert numbers == pytest.approx([-1, np.cos(np.radians(60)), np.cos(np.radians(10))], abs=1e-6)


def test_one_of_two_equal_faces_stays():
    without_duplicates = NearDuplicate(max=0.95)

    passes = without_duplicates.passes(without_duplicates.measure(batch(directions(0, 90, 0))))

    assert passes.tolist() == [True, True, False]


def test_the_index_decides_not_the_row():
    numbers = NearDuplicate().measure(batch(directions(0, 60), indices=[7, 3]))

    assert numbers == pytest.approx([0.5, -1], abs=1e-6)


def test_other_identities_and_missing_faces_do_not_count():
    numbers = NearDuplicate().measure(
        batch(directions(0, 0, 0, 0), identities=[1, 1, 2, 2], found=[False, True, True, True])
    )

    assert np.isnan(numbers[0])
    assert numbers[1:] == pytest.approx([-1, -1, 1])
