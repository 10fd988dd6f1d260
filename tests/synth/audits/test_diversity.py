import numpy as np
import pytest

from synth.audits.diversity import class_spread, intra_class_similarity, luminance
from synth.similarity import cosine_matrix
from tests.synth.audits.crowds import crowd


def test_similarity_within_a_class_is_the_mean_of_its_pairs():
    embeddings, labels = crowd(3, 5)

    found = intra_class_similarity(embeddings, labels)

    pairs = np.triu_indices(5, k=1)
    expected = [cosine_matrix(embeddings[labels == k], embeddings[labels == k])[pairs].mean() for k in range(3)]
    assert found == pytest.approx(expected, abs=1e-6)


def test_a_class_of_one_has_neither_pairs_nor_spread():
    labels = np.array([0, 0, 1])

    assert np.isnan(intra_class_similarity(np.eye(3), labels)).tolist() == [False, True]
    assert np.isnan(class_spread(np.array([1.0, 2.0, 3.0]), labels)).tolist() == [False, True]


def test_spread_is_measured_within_classes_and_leaves_out_what_is_not_known():
    values = np.array([1.0, 3.0, np.nan, 100.0, 100.0])

    assert class_spread(values, np.array([0, 0, 0, 1, 1])) == pytest.approx([2**0.5, 0])


def test_luminance_weighs_green_most():
    images = np.zeros((4, 2, 2, 3), dtype=np.uint8)
    for channel in range(3):
        images[channel, ..., channel] = 100
    images[3] = 255

    assert luminance(images) == pytest.approx([29.9, 58.7, 11.4, 255])
