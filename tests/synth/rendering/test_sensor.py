from dataclasses import replace

import numpy as np
import pytest

from synth.rendering.nuisance import Sensor
from synth.rendering.sensor import develop, encode, metered_gain, reduced, toned

PLAIN = Sensor(
    exposure=1.0, contrast=1.0, white_balance=(1.0, 1.0, 1.0), saturation=1.0, blur=0.0, motion_length=0.0,
    motion_angle=0.0, noise=0.0, low_resolution=1.0, jpeg_quality=100, noise_seed=1,
)  # fmt: skip


@pytest.fixture
def picture():
    return np.random.default_rng(2).uniform(0, 1, (64, 64, 3)).astype(np.float32)


def detail(image):
    return float(
        abs(np.diff(image.astype(np.float32), axis=1)).mean() + abs(np.diff(image.astype(np.float32), axis=0)).mean()
    )


def test_middle_grey_is_stored_at_its_srgb_level():
    grey = develop(np.full((16, 16, 3), 0.18, np.float32), PLAIN)
    assert np.unique(grey).tolist() == [118]


def test_srgb_encoding_has_the_standard_end_points():
    assert encode(np.array([0.0, 0.0031308, 1.0], np.float32)) == pytest.approx([0, 0.04045, 1], abs=1e-4)


def test_tone_curve_never_clips_and_never_falls():
    tones = toned(np.linspace(0, 6, 500, dtype=np.float32), 1.1)
    assert (np.diff(tones) >= 0).all()
    assert tones.max() <= 1
    assert tones[0] == 0


@pytest.mark.parametrize(
    "change",
    [{"blur": 0.02}, {"motion_length": 0.1}, {"low_resolution": 0.4}],
    ids=["focus", "motion", "resolution"],
)
def test_degradations_take_detail_away(picture, change):
    assert detail(develop(picture, replace(PLAIN, **change))) < 0.7 * detail(develop(picture, PLAIN))


def test_noise_is_the_seeds_alone(picture):
    noisy = replace(PLAIN, noise=0.02)
    assert np.array_equal(develop(picture, noisy), develop(picture, noisy))
    assert not np.array_equal(develop(picture, noisy), develop(picture, replace(noisy, noise_seed=2)))
    assert not np.array_equal(develop(picture, noisy), develop(picture, PLAIN))


def test_no_saturation_is_grey(picture):
    grey = develop(picture, replace(PLAIN, saturation=0.0)).astype(int)
    assert abs(grey[..., 0] - grey[..., 2]).max() <= 1


def test_lossy_compression_changes_the_picture_and_best_quality_does_not(picture):
    assert not np.array_equal(develop(picture, replace(PLAIN, jpeg_quality=50)), develop(picture, PLAIN))
    assert np.array_equal(develop(picture, replace(PLAIN, jpeg_quality=95)), develop(picture, PLAIN))


def test_reducing_keeps_the_size():
    assert reduced(np.zeros((50, 50, 3), np.uint8), 0.3).shape == (50, 50, 3)


def test_metering_puts_the_skin_on_target_whatever_the_light():
    skin = np.zeros((20, 20), np.float32)
    skin[5:15, 5:15] = 1
    radiance = np.full((20, 20, 4), 3.0, np.float32)
    radiance[5:15, 5:15, :3] = 0.07
    assert metered_gain(radiance, skin, 0.2) * 0.07 == pytest.approx(0.2, rel=1e-3)


def test_metering_spares_bright_highlights():
    skin = np.ones((20, 20), np.float32)
    radiance = np.full((20, 20, 4), 0.01, np.float32)
    radiance[:4] = 5.0
    assert metered_gain(radiance, skin, 0.2) * 5.0 <= 1.2


def test_metering_without_skin_uses_the_person():
    radiance = np.full((20, 20, 4), 0.5, np.float32)
    radiance[..., 3] = 1
    assert metered_gain(radiance, np.zeros((20, 20), np.float32), 0.2) == pytest.approx(0.4, rel=1e-3)
    assert metered_gain(np.zeros((20, 20, 4), np.float32), np.zeros((20, 20), np.float32), 0.2) == 1.0
