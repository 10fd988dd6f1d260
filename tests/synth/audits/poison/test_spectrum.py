import numpy as np
import pytest

from synth.audits.poison.spectrum import spectral_signatures
from synth.similarity import unit
from tests.synth.audits.crowds import crowd


def test_planted_samples_of_one_kind_lead_the_ranking_of_their_class():
    embeddings, labels = crowd(5, 40)
    trigger = unit(np.random.default_rng(7).standard_normal((1, 64)))
    poisoned = np.array([80, 85, 99])  # of class 2
    embeddings[poisoned] = unit(embeddings[poisoned] + trigger)

    scores, shares = spectral_signatures(embeddings, labels)

    of_class = np.flatnonzero(labels == 2)
    assert set(of_class[np.argsort(-scores[of_class])][:3]) == set(poisoned.tolist())
    assert shares.argmax() == 2


def test_scores_are_squared_projections_over_their_mean():
    embeddings, labels = crowd(1, 12)
    centred = embeddings.astype(float) - embeddings.astype(float).mean(axis=0)
    direction = np.linalg.svd(centred)[2][0]
    squared = (centred @ direction) ** 2

    scores, shares = spectral_signatures(embeddings, labels)

    assert scores == pytest.approx(squared / squared.mean(), rel=1e-4)
    assert shares == pytest.approx([squared.sum() / (centred**2).sum()], rel=1e-5)


def test_equal_embeddings_have_no_direction():
    scores, shares = spectral_signatures(np.ones((4, 3)), np.array([0, 0, 0, 1]))

    assert scores.tolist() == [0, 0, 0, 0]
    assert shares.tolist() == [0, 0]
