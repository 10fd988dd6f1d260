"""Average faces have the measured proportions of adults, and keep what was right before."""

import numpy as np
import pytest

from synth.rendering.adult_proportions import adult_offset
from synth.rendering.brows import grow_brows
from synth.rendering.decoding import decode_attributes
from synth.rendering.head import load_head
from synth.rendering.morph import shape_vertices
from tests.synth.rendering.vectors import random_vectors


@pytest.fixture(scope="module")
def average():
    """Mean shape over people, dm."""
    return np.mean([shape_vertices(decode_attributes(vector)) for vector in random_vectors(60, seed=0)], axis=0)


def test_the_distance_of_the_eyes_is_that_of_adults(average):
    left, right = load_head().eyeball_centres(average)

    assert np.linalg.norm(left - right) == pytest.approx(0.632, abs=0.02)


def test_the_width_of_the_mouth_is_that_of_adults(average):
    _, _, _, right, left = load_head().landmarks(average)

    assert np.linalg.norm(left - right) == pytest.approx(0.496, abs=0.02)


def test_the_width_of_the_cheekbones_is_that_of_adults(average):
    head = load_head()
    height = head.eyeball_centres(average)[:, 1].mean() - 0.25
    band = head.skin & (head.ears < 0.05) & (np.abs(average[:, 1] - height) < 0.12) & (average[:, 2] > 0.3)

    assert np.ptp(average[band, 0]) == pytest.approx(1.393, abs=0.05)


def test_the_brows_end_as_high_above_the_pupils_as_those_of_adults():
    head = load_head()
    heights = []
    for vector in random_vectors(40, seed=1):
        person = decode_attributes(vector)
        shape = shape_vertices(person)
        brow, _ = grow_brows(person, 1.0)
        roots = (shape[brow.root_vertices] * brow.root_weights[..., None]).sum(axis=1)
        hairs = roots[:, None] + brow.points
        heights.append(np.quantile(hairs[..., 1], 0.95) - head.eyeball_centres(shape)[0, 1])

    assert np.mean(heights) == pytest.approx(0.22, abs=0.02)


def test_both_sides_change_alike():
    head = load_head()
    offset = adult_offset()
    left, right = (offset[ids].mean(axis=0) for ids in head.eye_vertices)

    np.testing.assert_allclose(left, right * [-1, 1, 1], atol=1e-5)


def test_the_midline_stays_in_the_middle_and_the_nose_keeps_its_width():
    head = load_head()
    offset = adult_offset()
    tip = head.landmark_vertices[0]
    nose = np.linalg.norm(head.vertices - head.vertices[tip], axis=1) < 0.15

    assert np.abs(offset[np.abs(head.vertices[:, 0]) < 1e-4, 0]).max() < 1e-5
    assert np.abs(offset[nose, 0]).max() < 0.004


def test_the_back_of_the_head_and_the_neck_keep_their_depth():
    head = load_head()

    assert np.abs(adult_offset()[head.vertices[:, 2] < -0.2, 1:]).max() == 0


def test_eyeballs_stay_round():
    head = load_head()
    for ids in head.eye_vertices:
        ball = (head.vertices + adult_offset())[ids]
        reach = np.linalg.norm(ball - ball.mean(axis=0), axis=1)
        before = np.linalg.norm(head.vertices[ids] - head.vertices[ids].mean(axis=0), axis=1)

        np.testing.assert_allclose(reach / before, 1.06, atol=1e-3)
