import numpy as np
import pytest
from scipy.fft import dctn

from synth.audits.poison.frequencies import CUTOFF, high_frequency_share, modified_z_scores
from tests.synth.audits.crowds import faces


def test_the_share_is_that_of_the_corner_of_the_dct():
    pictures = faces(3, 24)
    luma = pictures.astype(float) @ [0.299, 0.587, 0.114]
    energy = dctn(luma, axes=(1, 2), norm="ortho") ** 2
    energy[:, 0, 0] = 0
    sums = np.add.outer(np.arange(24), np.arange(24)) / 24
    expected = np.log10(energy[:, sums >= 1.75].sum(axis=1) / energy.sum(axis=(1, 2)))

    assert high_frequency_share(pictures) == pytest.approx(expected, abs=1e-2)


def test_planted_checkers_are_outliers_and_nothing_else_is():
    pictures = faces(60)
    pictures[17, 4:12, 4:12] = (np.indices((8, 8)).sum(axis=0) % 2 * 255)[..., None]

    z_scores = modified_z_scores(high_frequency_share(pictures))

    assert np.flatnonzero(z_scores > CUTOFF).tolist() == [17]


def test_a_flat_picture_has_a_share():
    assert high_frequency_share(np.full((1, 16, 16, 3), 80, dtype=np.uint8)) == pytest.approx([-9])


def test_modified_z_scores_are_robust_standard_deviations():
    values = np.append(np.random.default_rng(0).standard_normal(20_001), 1e6)

    z_scores = modified_z_scores(values)

    assert z_scores[:-1] == pytest.approx(values[:-1], abs=0.06)
    assert z_scores[-1] > 1e5
    assert modified_z_scores(np.ones(4)).tolist() == [0, 0, 0, 0]
