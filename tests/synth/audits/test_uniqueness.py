import numpy as np
import pytest

from synth.audits.uniqueness import nearest_earlier, packing_uniqueness, strict_uniqueness
from synth.similarity import cosine_matrix
from tests.synth.audits.crowds import crowd


def at(*degrees):
    return np.stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], axis=1)


def test_the_two_readings_differ_where_a_rejected_centre_stands_between():
    centres = at(0, 30, 60)  # the second is too near to the first, the third to the second only
    threshold = np.cos(np.radians(45))

    assert strict_uniqueness(centres, [threshold]) == [pytest.approx(1 / 3)]
    assert packing_uniqueness(centres, threshold) == pytest.approx(2 / 3)


def test_the_order_counts():
    threshold = np.cos(np.radians(45))

    assert packing_uniqueness(at(30, 0, 60), threshold) == pytest.approx(1 / 3)


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_each_centre_is_compared_with_all_before_it_for_any_block(block):
    centres, _ = crowd(20, 1)
    cosines = cosine_matrix(centres, centres)

    found = nearest_earlier(centres, block)

    assert found[0] == -np.inf
    assert found[1:] == pytest.approx([cosines[k, :k].max() for k in range(1, 20)], abs=1e-6)


def test_several_thresholds_are_read_at_once():
    assert strict_uniqueness(at(0, 30, 120), [0.99, 0.5, -0.9]) == [1.0, pytest.approx(2 / 3), pytest.approx(1 / 3)]
