import numpy as np
import pytest

from synth.similarity import unit
from synth.verification import (
    best_threshold,
    bootstrap_interval,
    equal_error_rate,
    error_rates,
    fmr100,
    fmr1000,
    fold_accuracy,
    genuine_pairs,
    impostor_pairs,
    pair_scores,
    tar_at_far,
    threshold_at_fmr,
)


def noisy_scores(count=400, seed=0):
    random = np.random.default_rng(seed)
    same = random.random(count) < 0.5
    return np.where(same, 0.6, 0.2) + 0.2 * random.standard_normal(count), same


def test_genuine_pairs_are_all_pairs_within_a_label():
    pairs = genuine_pairs(np.array([4, 1, 4, 4, 2]))

    assert pairs.tolist() == [[0, 2], [0, 3], [2, 3]]


def test_all_impostor_pairs_and_all_genuine_pairs_are_all_pairs():
    labels = np.array([0, 1, 0, 2, 1, 1])

    pairs = np.concatenate([genuine_pairs(labels), impostor_pairs(labels)])

    assert len({tuple(pair) for pair in pairs.tolist()}) == 15


@pytest.mark.parametrize("count", [5, 60, 500])
def test_drawn_impostor_pairs_are_distinct_ordered_and_of_different_labels(count):
    labels = np.repeat(np.arange(8), 5)

    pairs = impostor_pairs(labels, count, seed=3)

    assert len({tuple(pair) for pair in pairs.tolist()}) == count
    assert (pairs[:, 0] < pairs[:, 1]).all()
    assert (labels[pairs[:, 0]] != labels[pairs[:, 1]]).all()
    assert np.array_equal(pairs, impostor_pairs(labels, count, seed=3))


def test_drawing_more_impostor_pairs_than_there_are_gives_all():
    labels = np.array([0, 1, 2])

    assert len(impostor_pairs(labels, 100)) == 3


def test_drawn_impostor_pairs_reach_every_row():
    labels = np.arange(40)

    rows = np.bincount(impostor_pairs(labels, 300).ravel(), minlength=40)

    assert rows.min() >= 4
    assert rows.max() <= 30


def test_pair_scores_are_cosines_for_any_block():
    embeddings = unit(np.random.default_rng(0).standard_normal((10, 4)))
    pairs = genuine_pairs(np.zeros(10, dtype=np.int64))

    scores = pair_scores(embeddings, pairs, block=7)

    expected = [float(embeddings[a].astype(float) @ embeddings[b]) for a, b in pairs]
    assert scores == pytest.approx(expected, abs=1e-12)


def test_best_threshold_gets_as_many_right_as_any():
    scores, same = noisy_scores()

    threshold = best_threshold(scores, same)

    right = [np.sum((scores >= candidate) == same) for candidate in np.append(scores, [-np.inf, np.inf])]
    assert np.sum((scores >= threshold) == same) == max(right)
    assert threshold not in scores


def test_best_threshold_does_not_split_equal_scores():
    threshold = best_threshold(np.array([0.1, 0.5, 0.5, 0.9]), np.array([False, False, True, True]))

    assert threshold in (pytest.approx(0.3), pytest.approx(0.7))


def test_best_threshold_may_reject_or_accept_everything():
    scores = np.array([0.1, 0.2])

    assert best_threshold(scores, np.array([True, True])) == -np.inf
    assert best_threshold(scores, np.array([False, False])) == np.inf


def test_fold_accuracy_agrees_with_trying_every_threshold_on_the_other_folds():
    scores, same = noisy_scores(120)

    result = fold_accuracy(scores, same, folds=6)

    for fold in range(6):
        held_out = np.arange(120) // 20 == fold
        right = [np.sum((scores[~held_out] >= candidate) == same[~held_out]) for candidate in np.append(scores, np.inf)]
        chosen = result.thresholds[fold]
        assert np.sum((scores[~held_out] >= chosen) == same[~held_out]) == max(right)
        assert result.accuracies[fold] == np.mean((scores[held_out] >= chosen) == same[held_out])
    assert result.mean == pytest.approx(result.accuracies.mean())
    assert result.standard_deviation == pytest.approx(result.accuracies.std())


def test_perfectly_separated_pairs_give_full_accuracy():
    same = np.arange(100) % 2 == 0

    assert fold_accuracy(np.where(same, 0.9, 0.1), same).mean == 1.0


def test_too_few_pairs_for_the_folds_are_refused():
    with pytest.raises(ValueError, match="10 folds"):
        fold_accuracy(np.zeros(9), np.zeros(9, dtype=bool))


def test_error_rates_count_what_a_threshold_lets_through():
    thresholds, fmr, fnmr = error_rates(np.array([0.5, 0.9]), np.array([0.1, 0.5, 0.2, 0.3]))

    at = thresholds.tolist().index(0.5)
    assert fmr[at] == 0.25
    assert fnmr[at] == 0
    assert (fmr[-1], fnmr[-1]) == (0, 1)


def test_equal_error_rate_of_separated_scores_is_zero_and_of_equal_ones_a_half():
    scores = np.linspace(0, 1, 50)

    assert equal_error_rate(scores + 2, scores) == 0
    assert equal_error_rate(scores, scores) == pytest.approx(0.5, abs=0.02)


def test_equal_error_rate_is_the_middle_of_the_crossing_interval():
    # At 0.4: FMR 1/2, FNMR 1/4. Above 0.4 (0.5): FMR 0, FNMR 1/4. They cross there: sums 3/4 and 1/4, so (0 + 1/4) / 2.
    genuine, impostor = np.array([0.3, 0.5, 0.6, 0.7]), np.array([0.1, 0.4])

    assert equal_error_rate(genuine, impostor) == pytest.approx(0.125)


def test_equal_error_rate_of_two_gaussians_is_the_known_one():
    random = np.random.default_rng(0)

    rate = equal_error_rate(random.normal(2, 1, 200_000), random.normal(0, 1, 200_000))

    assert rate == pytest.approx(0.1587, abs=0.002)


def test_error_rates_of_nothing_are_refused():
    with pytest.raises(ValueError, match="0 genuine"):
        equal_error_rate(np.empty(0), np.ones(3))


def test_tar_at_far_allows_exactly_the_share_of_impostors():
    impostor = np.arange(1000) / 1000
    genuine = np.array([0.5, 0.9895, 0.9905, 2.0])

    # 1 % of 1000 is 10 impostors, so the threshold lies just above the eleventh: 0.989
    assert tar_at_far(genuine, impostor, 0.01) == 0.75
    assert fmr100(genuine, impostor) == 0.25


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_threshold_at_an_fmr_accepts_that_share_and_no_lower_one_does(dtype):
    impostor = np.random.default_rng(0).standard_normal(5000).astype(dtype)

    threshold = threshold_at_fmr(impostor, 0.01)

    assert np.count_nonzero(impostor >= threshold) == 50
    assert np.count_nonzero(impostor >= np.nextafter(dtype(threshold), dtype(-np.inf))) == 51


def test_the_threshold_at_an_fmr_does_not_split_equal_scores():
    impostor = np.repeat([0.1, 0.5], [990, 10])
    impostor[0] = 0.5

    threshold = threshold_at_fmr(impostor, 0.01)

    assert 0.5 < threshold < 0.5 + 1e-9
    assert threshold_at_fmr(impostor, 1.0) == -np.inf


def test_rates_that_too_few_impostors_cannot_carry_are_refused():
    scores = np.linspace(0, 1, 9999)

    with pytest.raises(ValueError, match="takes 10000 impostor pairs, there are 9999"):
        fmr1000(scores, scores)
    assert 0 <= fmr100(scores, scores) <= 1


def test_the_bootstrap_interval_holds_the_value_and_widens_with_fewer_identities():
    def interval(identities):
        random = np.random.default_rng(0)
        labels = np.repeat(np.arange(identities), 4)
        centres = random.standard_normal((identities, 8))
        embeddings = unit(centres[labels] + 0.8 * random.standard_normal((len(labels), 8)))
        genuine, impostor = genuine_pairs(labels), impostor_pairs(labels)
        scores = pair_scores(embeddings, genuine), pair_scores(embeddings, impostor)
        low, high = bootstrap_interval(labels, (genuine, scores[0]), (impostor, scores[1]), equal_error_rate, 50)
        return low, equal_error_rate(*scores), high

    few, many = interval(8), interval(60)

    assert few[0] <= few[1] <= few[2]
    assert many[0] <= many[1] <= many[2]
    assert few[2] - few[0] > many[2] - many[0]
