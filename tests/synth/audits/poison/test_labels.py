import numpy as np
import pytest

from synth.audits.consistency import centre_similarities
from synth.audits.poison.labels import label_disagreements
from synth.similarity import centroids
from tests.synth.audits.crowds import crowd


def disagreements(embeddings, labels):
    own = centre_similarities(embeddings, labels)[1]
    centres = centroids(embeddings, labels)
    return label_disagreements(embeddings, labels, own, centres, np.unique(labels)), own


def test_planted_wrong_labels_are_found_with_the_right_ones():
    embeddings, labels = crowd(30, 10, dimension=128)
    planted = np.arange(3, 300, 25)
    wrong = labels.copy()
    wrong[planted] = (labels[planted] + 13) % 30

    found, own = disagreements(embeddings, wrong)

    assert np.flatnonzero(found.nearer).tolist() == planted.tolist()
    assert found.other_labels[planted].tolist() == labels[planted].tolist()
    assert np.flatnonzero(found.misplaced(own, 0.5)).tolist() == planted.tolist()


def test_right_labels_are_agreed_with():
    embeddings, labels = crowd(30, 10)

    found, own = disagreements(embeddings, labels)

    assert not found.nearer.any()
    assert not found.misplaced(own, 0.5).any()
    assert (found.other_labels != labels).all()


def test_a_face_that_is_merely_bad_is_not_misplaced():
    embeddings, labels = crowd(30, 10)
    embeddings[17] = crowd(1, 1, seed=5)[0]  # like nobody

    found, own = disagreements(embeddings, labels)

    assert own[17] < 0.5
    assert not found.misplaced(own, 0.5).any()


def test_a_class_of_one_agrees_with_its_label():
    embeddings, labels = crowd(3, 2)
    labels = np.array([0, 0, 1, 1, 2, 3])

    found, own = disagreements(embeddings, labels)

    assert np.isnan(own).tolist() == [False] * 4 + [True] * 2
    assert not found.nearer[4:].any()
    assert found.others[4] == pytest.approx(float(embeddings[4] @ embeddings[5]), abs=1e-6)


def test_without_another_class_nothing_is_nearer():
    embeddings, labels = crowd(1, 4)

    found, own = disagreements(embeddings, labels)

    assert found.others.tolist() == [-np.inf] * 4
    assert not found.misplaced(own, 0.5).any()
    assert not found.misplaced(np.full(4, np.nan, dtype=np.float32), 0.5).any()
