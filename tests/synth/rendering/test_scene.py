from dataclasses import replace

import numpy as np
import pytest

from synth.rendering.camera import TEMPLATE, similarity
from synth.rendering.nuisance import Pose, draw
from synth.rendering.nuisance_ranges import NuisanceRanges
from synth.rendering.scene import Scene, render

EXACT = NuisanceRanges(
    alignment_shift_sd_px=0.0, alignment_scale_sd=0.0, alignment_roll_sd_degrees=0.0,
    occluder_rate=0.0, monochrome_rate=0.0, low_resolution_rate=0.0, motion_blur_rate=0.0,
    glasses_rate=0.0, mask_rate=0.0, hat_rate=0.0,
)  # fmt: skip
LUMA = np.array([0.2126, 0.7152, 0.0722])


@pytest.fixture(scope="module")
def scene(face):
    return Scene(face)


def posed(nuisance, yaw):
    return replace(nuisance, pose=Pose(yaw=yaw, pitch=0.0, roll=0.0))


def test_same_nuisances_give_the_same_bytes_in_another_scene(face, scene):
    nuisance = draw(4, NuisanceRanges())
    first = scene.render(nuisance, size=112, framing="aligned")
    again = render(face, nuisance, size=112, framing="aligned")
    assert np.array_equal(first.image, again.image)
    assert np.array_equal(first.landmarks, again.landmarks)


@pytest.mark.parametrize("yaw", [-50.0, 0.0, 30.0])
def test_aligned_landmarks_need_no_further_alignment(scene, yaw):
    landmarks = scene.render(posed(draw(1, EXACT), yaw), size=112, framing="aligned").landmarks
    left_over = similarity(landmarks.astype(np.float64), TEMPLATE)
    corners = np.array([[0, 0, 1], [112, 0, 1], [0, 112, 1], [112, 112, 1]])
    assert corners @ left_over.T == pytest.approx(corners[:, :2], abs=0.5)


def test_portrait_landmarks_are_ordered_as_seen(scene):
    left_eye, right_eye, nose, left_mouth, right_mouth = scene.render(
        posed(draw(2, EXACT), 10.0), size=128, framing="portrait"
    ).landmarks
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < min(nose[1], left_mouth[1], right_mouth[1])


def test_turning_left_moves_the_nose_to_the_right_of_the_picture(scene):
    nose = [scene.render(posed(draw(2, EXACT), yaw), size=112, framing="portrait").landmarks[2, 0] for yaw in (-40, 40)]
    assert nose[1] - nose[0] > 20


def test_the_eyes_are_where_the_landmarks_say(scene):
    image = scene.render(posed(draw(7, EXACT), 0.0), size=112, framing="aligned").image @ LUMA
    landmarks = scene.render(posed(draw(7, EXACT), 0.0), size=112, framing="aligned").landmarks.round().astype(int)
    cheeks = np.median([image[y + 18, x] for x, y in landmarks[:2]])
    for x, y in landmarks[:2]:
        assert image[y - 3 : y + 4, x - 4 : x + 5].min() < 0.75 * cheeks


@pytest.mark.parametrize("wear", ["glasses_rate", "hat_rate", "mask_rate", "occluder_rate"])
def test_worn_things_are_seen(scene, wear):
    bare = scene.render(draw(9, EXACT), size=112, framing="portrait").image.astype(int)
    worn = scene.render(draw(9, replace(EXACT, **{wear: 1.0})), size=112, framing="portrait").image.astype(int)
    assert np.mean(abs(worn - bare).max(axis=2) > 25) > 0.01


def test_exposure_suits_the_skin_in_any_light(scene):
    images = [scene.render(draw(seed, EXACT), size=112, framing="aligned").image for seed in range(12)]
    luma = np.stack([image[45:100, 40:72] for image in images]) @ LUMA
    medians = np.median(luma, axis=(1, 2))
    assert medians.min() > 60
    assert medians.max() < 215
    assert np.mean(luma > 250) < 0.01
    assert np.mean(luma < 10) < 0.05


def test_an_age_drift_changes_little(scene):
    nuisance = draw(5, EXACT)
    older = replace(nuisance, drift=replace(nuisance.drift, age_years=nuisance.drift.age_years + 6))
    one, two = (scene.render(n, size=112, framing="aligned").image.astype(int) for n in (nuisance, older))
    assert 0 < abs(one - two).mean() < 12


def test_hair_colour_drifts_and_density_thins(scene):
    nuisance = draw(6, EXACT)
    images = [
        scene.render(replace(nuisance, drift=replace(nuisance.drift, **change)), size=112, framing="portrait").image
        for change in ({}, {"hair_gain": (2.0, 2.0, 2.0)}, {"hair_density": 0.3})
    ]
    for other in images[1:]:
        assert np.mean(abs(other.astype(int) - images[0]).max(axis=2) > 8) > 0.02


def test_sizes_and_framings(scene):
    for size, framing in ((112, "aligned"), (200, "portrait")):
        rendering = scene.render(draw(3, EXACT), size=size, framing=framing)
        assert rendering.image.shape == (size, size, 3)
        assert rendering.image.dtype == np.uint8
        assert rendering.landmarks.dtype == np.float32
