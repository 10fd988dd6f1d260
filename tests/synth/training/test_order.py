import numpy as np
import pytest

from synth.training.order import balanced, shuffled


def test_an_order_holds_every_row_once_and_changes_with_seed_and_stream():
    first = shuffled(1000, 7, 0)

    assert sorted(first.tolist()) == list(range(1000))
    assert not np.array_equal(first, shuffled(1000, 7, 1))
    assert not np.array_equal(first, shuffled(1000, 8, 0))
    assert np.array_equal(first, shuffled(1000, 7, 0))


def test_an_order_is_the_same_in_every_version():
    assert shuffled(8, 7, 3).tolist() == [6, 5, 1, 4, 0, 3, 7, 2]


def test_neighbours_in_an_order_are_not_related():
    order = shuffled(10_000, 1, 0)

    assert abs(np.corrcoef(order[:-1], order[1:])[0, 1]) < 0.05


def test_a_balanced_order_shows_every_label_equally_often_whatever_its_images():
    labels = np.repeat(np.arange(5), [4, 4, 40, 8, 4])

    order = balanced(labels, 4, seed=1, epoch=0)

    assert len(order) == 60
    assert np.bincount(labels[order]).tolist() == [12] * 5


def test_balanced_groups_are_of_one_label_and_have_no_image_twice():
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(7), 9))

    groups = balanced(labels, 4, seed=1, epoch=2).reshape(-1, 4)

    for group in groups:
        assert len(set(labels[group])) == 1
        assert len(set(group.tolist())) == 4


def test_a_label_s_groups_walk_through_all_its_images():
    labels = np.repeat(np.arange(4), 12)

    order = balanced(labels, 4, seed=3, epoch=0)

    assert sorted(order.tolist()) == list(range(48))


def test_balanced_orders_change_with_the_epoch():
    labels = np.repeat(np.arange(6), 8)

    assert not np.array_equal(balanced(labels, 4, 1, 0), balanced(labels, 4, 1, 1))


def test_a_label_with_too_few_images_is_refused():
    with pytest.raises(ValueError, match="label 1 has 2 images, fewer than 3"):
        balanced(np.array([0, 0, 0, 1, 1]), 3, 0, 0)
