import numpy as np
import pytest

from filters.detection import Detection
from filters.vector_similarity import VectorSimilarity
from tests.filters.batches import batch, directions


def test_vector_similarity_is_the_cosine_with_the_vector():
    numbers = VectorSimilarity().measure(batch(directions(0, 0, 0), vectors=directions(0, 60, 180)))

    assert numbers == pytest.approx([1, 0.5, -1], abs=1e-6)


def test_the_length_of_the_vector_does_not_matter():
    numbers = VectorSimilarity().measure(batch(directions(0), vectors=21.9 * directions(60)))

    assert numbers == pytest.approx([0.5], abs=1e-6)


def test_vector_similarity_is_nan_where_the_sizes_differ():
    numbers = VectorSimilarity().measure(batch(directions(0, 10), vectors=np.ones((2, 5))))

    assert np.isnan(numbers).all()


def test_it_says_that_it_compares_with_vectors():
    assert VectorSimilarity.compares_with_vectors
    assert not Detection.compares_with_vectors
