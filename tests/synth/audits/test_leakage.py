import numpy as np
import pytest

from synth.audits.leakage import (
    MOST_ROWS,
    drawn_rows,
    expected_by_chance,
    impostors_of,
    more_than_chance,
    nearest_in_gallery,
)
from synth.similarity import cosine_matrix, unit
from synth.verification import threshold_at_fmr
from tests.synth.audits.crowds import crowd


@pytest.mark.parametrize("size", [1, 7, 100])
def test_a_planted_leak_is_found_in_its_row_however_the_gallery_is_cut(size):
    samples, _ = crowd(10, 1)
    gallery, _ = crowd(50, 1, seed=1)
    gallery[33] = unit(samples[4:5] + 0.01)[0]

    similarities, rows, count = nearest_in_gallery(
        samples, (gallery[start : start + size] for start in range(0, 50, size))
    )

    everything = cosine_matrix(samples, gallery)
    assert count == 50
    assert rows[4] == 33
    assert similarities.argmax() == 4
    assert np.array_equal(rows, everything.argmax(axis=1))
    assert similarities == pytest.approx(everything.max(axis=1), abs=1e-6)


def test_vectors_of_another_length_are_refused():
    with pytest.raises(ValueError, match="vectors of 3 numbers, the samples' embeddings have 4"):
        nearest_in_gallery(np.ones((2, 4)), iter([np.ones((1, 3), dtype=np.float32)]))


def test_impostors_are_all_pairs_of_two_people():
    embeddings, labels = crowd(30, 4)

    found = np.sort(impostors_of(embeddings, labels))

    first, second = np.triu_indices(120, k=1)
    cosines = cosine_matrix(embeddings, embeddings)[first, second]
    assert found == pytest.approx(np.sort(cosines[labels[first] != labels[second]]), abs=1e-6)


def test_a_threshold_of_the_gallery_lets_that_share_of_strangers_through():
    embeddings, labels = crowd(100, 3)
    impostors = impostors_of(embeddings, labels)

    threshold = threshold_at_fmr(impostors, 1e-3)

    assert np.mean(impostors >= threshold) == pytest.approx(1e-3, rel=0.05)
    with pytest.raises(ValueError, match="takes 1000000 impostor pairs, there are 44550"):
        threshold_at_fmr(impostors, 1e-5)


def test_rows_are_drawn_from_a_large_gallery_only():
    assert np.array_equal(drawn_rows(5, seed=0), np.arange(5))
    rows = drawn_rows(10 * MOST_ROWS, seed=0)
    assert len(np.unique(rows)) == MOST_ROWS
    assert np.array_equal(rows, np.sort(rows))


def test_chance_matches_are_counted_for_small_and_large_galleries():
    assert expected_by_chance(1000, 100, 1e-6) == pytest.approx(0.1, rel=1e-3)
    assert expected_by_chance(1000, 10**8, 1e-6) == pytest.approx(1000)


def test_a_few_more_than_chance_are_no_leak_yet():
    assert not more_than_chance(120, 100.0, 10**6)
    assert more_than_chance(131, 100.0, 10**6)
    assert not more_than_chance(0, 0.0, 10)
    assert more_than_chance(1, 0.01, 10)


def test_a_rate_that_rests_on_few_impostors_is_not_taken_for_exact():
    assert not more_than_chance(199, 100.0, 10)  # 3 * sqrt(100 + 1000)
    assert more_than_chance(200, 100.0, 10)
    assert not more_than_chance(399, 100.0, 0)


def test_clean_galleries_are_no_leak_where_the_threshold_rests_on_ten_impostors():
    random = np.random.default_rng(0)
    expected = expected_by_chance(20_000, 1500, 1e-5)

    # A threshold at the tenth highest impostor of 1e6 has a false match rate of Gamma(10) / 1e6.
    counts = [random.poisson(expected * random.gamma(10) / 10) for _ in range(1000)]

    assert np.mean([more_than_chance(count, expected, 10) for count in counts]) < 0.02
    assert np.mean([more_than_chance(count, expected, 10**9) for count in counts]) > 0.1
