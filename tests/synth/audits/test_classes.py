import numpy as np
import pytest

from synth.audits.classes import classes, draw_classes


def test_classes_are_walked_in_order_of_their_labels_with_rising_rows():
    found = [rows.tolist() for rows in classes(np.array([7, 2, 7, 5, 2]))]

    assert found == [[1, 4], [3], [0, 2]]
    assert list(classes(np.empty(0, dtype=np.int64))) == []


def test_all_classes_are_drawn_where_there_is_room_for_their_samples():
    labels = np.array([4, 4, 9, 1])

    assert draw_classes(labels, 4, seed=0).tolist() == [1, 4, 9]


@pytest.mark.parametrize("most", [10, 55, 99])
def test_whole_classes_are_drawn_up_to_the_number_of_samples(most):
    labels = np.repeat(np.arange(10), 10)

    drawn = draw_classes(labels, most, seed=3)

    assert len(drawn) == most // 10
    assert np.array_equal(drawn, np.unique(drawn))
    assert np.array_equal(drawn, draw_classes(labels, most, seed=3))
    assert not np.array_equal(draw_classes(labels, 50, seed=3), draw_classes(labels, 50, seed=4))


def test_one_class_is_drawn_even_if_it_is_too_large():
    assert len(draw_classes(np.repeat([0, 1], 100), 5, seed=0)) == 1
