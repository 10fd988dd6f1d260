import numpy as np
import pytest

from synth.evaluation import DecodedPairs, evaluate
from synth.verification import fold_accuracy, fold_numbers


def pairs_with(scores, same):
    """Returns pairs whose images carry a number, and an embedder whose cosines are the scores."""
    count = len(scores)
    images = np.zeros((2 * count, 112, 112, 3), dtype=np.uint8)
    embeddings = np.zeros((2 * count, 2), dtype=np.float32)
    embeddings[0::2, 0] = 1
    embeddings[1::2, 0], embeddings[1::2, 1] = scores, np.sqrt(1 - np.square(scores))
    pairs = DecodedPairs(
        images=images, same=np.asarray(same), folds=fold_numbers(count, 10), unreadable=(), rows=np.arange(count)
    )
    return pairs, lambda _: embeddings


def random_scores(count=600, seed=0):
    random = np.random.default_rng(seed)
    same = np.arange(count) % 2 == 0
    return np.clip(random.normal(np.where(same, 0.4, 0.0), 0.25), -1, 1), same


def brute_force(scores, same, folds):
    """Returns the accuracy of each fold, every threshold tried by counting."""
    found = []
    for fold in np.unique(folds):
        others = folds != fold
        values = np.unique(scores[others])
        cuts = [-np.inf, *((values[:-1] + values[1:]) / 2), np.inf]
        right = [np.count_nonzero((scores[others] >= cut) == same[others]) for cut in cuts]
        cut = cuts[int(np.argmax(right))]
        found.append(np.mean((scores[~others] >= cut) == same[~others]))
    return found


@pytest.mark.parametrize("seed", range(3))
def test_fold_accuracy_is_that_of_trying_every_threshold(seed):
    scores, same = random_scores(seed=seed)
    pairs, embed = pairs_with(scores, same)

    found = evaluate(embed, pairs)

    assert found.accuracy.accuracies == pytest.approx(brute_force(scores, same, pairs.folds))


def test_folds_stay_where_they_were_when_pairs_are_left_out():
    scores, same = random_scores()
    kept = np.arange(600) != 30
    folds = fold_numbers(600, 10)[kept]

    found = fold_accuracy(scores[kept], same[kept], folds)

    assert found.accuracies == pytest.approx(brute_force(scores[kept], same[kept], folds))
    assert np.bincount(folds).tolist() == [59, *[60] * 9]


def test_rates_are_refused_where_impostors_are_few():
    pairs, embed = pairs_with(*random_scores(600))

    tars = evaluate(embed, pairs).tars

    assert tars[1e-1] is not None
    assert tars[1e-2] is None
    assert tars[1e-3] is None


def test_all_genuine_pairs_first_are_told():
    scores, same = random_scores()
    order = np.argsort(~same, kind="stable")

    assert evaluate(*reversed(pairs_with(scores, same))).balanced
    assert not evaluate(*reversed(pairs_with(scores[order], same[order]))).balanced


@pytest.mark.parametrize("share", [0.1, 0.9])
def test_folds_that_are_alike_without_being_half_genuine_are_told(share):
    scores, _ = random_scores()
    same = np.arange(600) % 10 < 10 * share

    assert not evaluate(*reversed(pairs_with(scores, same))).balanced


def test_folds_that_lost_a_pair_are_balanced_still():
    scores, same = random_scores(6000)
    pairs, embed = pairs_with(scores, same)
    kept = np.arange(6000) != 30
    fewer = DecodedPairs(
        images=pairs.images, same=same[kept], folds=pairs.folds[kept], unreadable=(), rows=np.flatnonzero(kept)
    )

    assert evaluate(lambda images: embed(images)[np.repeat(kept, 2)], fewer).balanced


def test_intervals_over_identities_hold_the_figures():
    scores, same = random_scores()
    pairs, embed = pairs_with(scores, same)
    identities = np.arange(1200)
    identities[1::2][same] = identities[0::2][same]

    found = evaluate(embed, pairs, identities)

    assert found.error_interval[0] < found.equal_error_rate < found.error_interval[1]
    assert found.accuracy_interval[0] < found.accuracy.mean < found.accuracy_interval[1]


def test_separation_counts_in_standard_deviations():
    scores, same = random_scores(4000)
    pairs, embed = pairs_with(scores, same)

    assert evaluate(embed, pairs).separation == pytest.approx(0.4 / 0.25, rel=0.1)
