import numpy as np
import pytest

from synth.audits.consistency import centre_similarities, class_consistency, shares_above
from synth.similarity import unit
from tests.synth.audits.crowds import crowd

# Three samples at right angles: the centre of all has a cosine of 1/sqrt(3) with each, that of the others of 0.
APART = np.eye(3, dtype=np.float32)


def test_a_sample_raises_the_similarity_to_a_centre_it_is_part_of():
    with_itself, left_out = centre_similarities(APART, np.zeros(3, dtype=np.int64))

    assert with_itself == pytest.approx(np.full(3, 3**-0.5), abs=1e-6)
    assert left_out == pytest.approx(np.zeros(3), abs=1e-6)


def test_similarities_are_in_the_order_of_the_samples_whatever_that_of_the_labels():
    embeddings, labels = crowd(4, 5)
    shuffled = np.random.default_rng(0).permutation(20)

    ordered = centre_similarities(embeddings, labels)
    mixed = centre_similarities(embeddings[shuffled], labels[shuffled])

    for first, second in zip(ordered, mixed, strict=True):
        assert second == pytest.approx(first[shuffled], abs=1e-6)


def test_consistency_is_the_mean_over_classes_of_their_shares():
    similarities = np.array([0.9, 0.1, 0.1, 0.1, 0.8, 0.8], dtype=np.float32)
    labels = np.array([3, 3, 3, 3, 5, 5])

    assert shares_above(similarities, labels, 0.5).tolist() == [0.25, 1.0]
    assert class_consistency(similarities, labels, 0.5) == 0.625


def test_a_similarity_must_exceed_the_threshold():
    assert class_consistency(np.array([0.5], dtype=np.float32), np.array([0]), 0.5) == 0


def test_a_class_of_one_cannot_be_judged_without_its_sample():
    embeddings, labels = unit(np.ones((3, 4))), np.array([0, 0, 1])

    _, left_out = centre_similarities(embeddings, labels)

    assert np.isnan(left_out).tolist() == [False, False, True]
    assert np.isnan(shares_above(left_out, labels, 0.3)).tolist() == [False, True]
    assert class_consistency(left_out, labels, 0.3) == 1.0
    assert np.isnan(class_consistency(left_out[2:], labels[2:], 0.3))


def test_planted_strangers_lower_the_consistency_by_their_share():
    embeddings, labels = crowd(20, 10)
    embeddings[::10] = crowd(20, 1, seed=9)[0]  # the first sample of each class is somebody else

    _, left_out = centre_similarities(embeddings, labels)

    assert class_consistency(left_out, labels, 0.6) == pytest.approx(0.9)
    assert np.flatnonzero(left_out < 0.6).tolist() == list(range(0, 200, 10))
