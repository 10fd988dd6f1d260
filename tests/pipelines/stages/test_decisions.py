import numpy as np

from pipelines.stages.decisions import Decisions

IDENTITIES = np.array([0, 0, 0, 2, 2, 5, 5, 5])


def rows(*numbers):
    mask = np.zeros(len(IDENTITIES), dtype=bool)
    mask[list(numbers)] = True
    return mask


def test_the_first_reason_counts():
    decisions = Decisions(IDENTITIES)

    decisions.drop(rows(1, 4), "detection")
    decisions.drop(rows(1, 5), "sharpness")

    assert decisions.dropped_by.tolist() == ["", "detection", "", "", "detection", "sharpness", "", ""]
    assert decisions.drops() == {"dropped_by_detection": 2, "dropped_by_sharpness": 1}


def test_the_first_passing_samples_of_each_identity_stay():
    decisions = Decisions(IDENTITIES)
    decisions.drop(rows(0), "detection")

    decisions.keep_first(1, "images_per_identity")

    assert np.flatnonzero(decisions.kept).tolist() == [1, 3, 5]


def test_identities_with_too_few_samples_go_as_a_whole():
    decisions = Decisions(IDENTITIES)
    decisions.drop(rows(0), "detection")

    decisions.keep_identities_of(3, "min_images_per_identity")

    assert np.flatnonzero(decisions.kept).tolist() == [5, 6, 7]
    assert decisions.dropped_by.tolist()[:5] == ["detection", *["min_images_per_identity"] * 4]


def test_labels_are_contiguous_in_identity_order():
    decisions = Decisions(IDENTITIES)
    decisions.drop(rows(3, 4, 6), "detection")

    assert decisions.labels().tolist() == [0, 0, 0, -1, -1, 1, -1, 1]


def test_when_all_are_dropped_there_are_no_labels():
    decisions = Decisions(IDENTITIES)
    decisions.drop(np.ones(8, dtype=bool), "detection")

    decisions.keep_first(2, "images_per_identity")
    decisions.keep_identities_of(1, "min_images_per_identity")

    assert (decisions.labels() == -1).all()
