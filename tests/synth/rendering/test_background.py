import numpy as np
import pytest

from synth.rendering.background import PAINTERS, paint_background
from synth.rendering.nuisance_ranges import BACKGROUND_RATES
from synth.rendering.occluder import add_occluder


def test_every_kind_with_a_rate_has_a_painter():
    assert set(PAINTERS) == set(BACKGROUND_RATES)


@pytest.mark.parametrize("kind", sorted(PAINTERS))
def test_backgrounds_differ_by_seed_and_stay_in_range(kind):
    picture = paint_background(kind, 5, 112)
    assert picture.shape == (112, 112, 3)
    assert picture.dtype == np.float32
    assert picture.min() >= 0
    assert picture.max() <= 1.2
    assert np.array_equal(picture, paint_background(kind, 5, 112))
    assert not np.array_equal(picture, paint_background(kind, 6, 112))


def test_occluder_covers_a_part_of_the_picture():
    picture = np.full((112, 112, 3), 5.0, np.float32)  # brighter than any occluder
    shares = [np.mean((add_occluder(picture, seed) < 4.9).any(axis=2)) for seed in range(40)]
    assert 0.03 < np.mean(shares) < 0.35
    assert max(shares) < 0.6
