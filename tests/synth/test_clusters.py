import numpy as np
import pytest

from synth.clusters import main_cluster
from synth.similarity import unit


def on_circle(*degrees):
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def by_hand(embeddings, min_similarity, min_samples):
    """DBSCAN as in its paper: one cluster after the other grows from its first dense row."""
    cosines = unit(embeddings).astype(np.float64) @ unit(embeddings).astype(np.float64).T
    neighbours = [
        [k for k in range(len(embeddings)) if k == i or cosines[i, k] >= min_similarity] for i in range(len(embeddings))
    ]
    cluster_of = {}
    for start in range(len(embeddings)):
        if start in cluster_of or len(neighbours[start]) < min_samples:
            continue
        cluster_of[start] = start
        queue = [start]
        while queue:
            row = queue.pop()
            if len(neighbours[row]) < min_samples:
                continue
            for other in neighbours[row]:
                if other not in cluster_of:
                    cluster_of[other] = start
                    queue.append(other)
    sizes = {name: list(cluster_of.values()).count(name) for name in cluster_of.values()}
    largest = min((name for name in sizes if sizes[name] == max(sizes.values())), default=None)
    return [largest is not None and cluster_of.get(row) == largest for row in range(len(embeddings))]


def test_outliers_and_smaller_clusters_are_outside():
    embeddings = on_circle(0, 90, 5, 92, 10, 200, 14)

    inside = main_cluster(embeddings, np.cos(np.radians(6)), 2)

    assert np.flatnonzero(inside).tolist() == [0, 2, 4, 6]


def test_of_equally_large_clusters_the_first_one_counts():
    inside = main_cluster(on_circle(90, 0, 91, 1), np.cos(np.radians(2)), 2)

    assert np.flatnonzero(inside).tolist() == [0, 2]


def test_a_row_between_two_clusters_belongs_to_the_first():
    embeddings = on_circle(20, 21, 22, 10, 0, -1, -2)  # the row at 10 is near both, and not dense

    inside = main_cluster(embeddings, np.cos(np.radians(10.5)), 4)

    assert np.flatnonzero(inside).tolist() == [0, 1, 2, 3]


def test_where_nothing_is_dense_there_is_no_cluster():
    assert not main_cluster(on_circle(0, 90, 180), 0.9, 2).any()
    assert main_cluster(np.zeros((0, 4)), 0.9, 2).tolist() == []


def test_a_row_is_near_itself_whatever_the_bound():
    assert main_cluster(np.random.default_rng(0).standard_normal((3, 7)), 1.0, 1).tolist() == [True, False, False]


@pytest.mark.parametrize("seed", range(40))
def test_the_cluster_is_that_of_the_algorithm_written_out(seed):
    random = np.random.default_rng(seed)
    embeddings = random.standard_normal((3, 6))[random.integers(0, 3, 40)] + 0.5 * random.standard_normal((40, 6))
    bound, samples = random.uniform(0.6, 0.95), int(random.integers(1, 6))

    assert main_cluster(embeddings, bound, samples).tolist() == by_hand(embeddings, bound, samples)
