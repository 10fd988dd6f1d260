import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from synth.alignment import ARCFACE_TEMPLATE  # noqa: E402
from synth.vec2face.landmarks import dots, turned_landmarks  # noqa: E402


def landmarks_of(yaw, pitch=0.0):
    return turned_landmarks(np.array([yaw]), np.array([pitch]))[0]


def test_a_face_seen_from_the_front_has_the_template():
    assert np.allclose(landmarks_of(0.0), ARCFACE_TEMPLATE, atol=1e-4)


def test_a_turn_to_the_persons_left_moves_the_nose_right_between_closer_eyes():
    ahead, turned = landmarks_of(0.0), landmarks_of(40.0)

    eyes = turned[:2].mean(axis=0)
    assert turned[2, 0] - eyes[0] > 8
    assert turned[1, 0] - turned[0, 0] < 0.9 * (ahead[1, 0] - ahead[0, 0])


def test_turns_to_both_sides_mirror_each_other():
    left, right = landmarks_of(35.0), landmarks_of(-35.0)

    centre = ARCFACE_TEMPLATE[:, 0].mean()
    mirrored = left[[1, 0, 2, 4, 3]] * [-1, 1] + [2 * centre, 0]
    assert np.allclose(mirrored, right, atol=0.5)  # the template itself is not quite symmetric


def test_looking_up_raises_the_nose():
    assert landmarks_of(0.0, 15.0)[2, 1] < landmarks_of(0.0)[2, 1] < landmarks_of(0.0, -15.0)[2, 1]


def test_dots_lie_where_the_landmarks_are_in_their_colours():
    points = torch.tensor([[[20.0, 30.0], [80.0, 30.0], [50.0, 60.0], [30.0, 90.0], [70.0, 90.0]]])
    colours = [(255, 0, 0), (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)]

    picture = dots(points, 3.0, colours)

    assert picture.shape == (1, 3, 112, 112)
    assert picture[0, :, 30, 20].tolist() == [1, -1, -1]
    assert picture[0, :, 60, 50].tolist() == [-1, 1, -1]
    assert picture[0, :, 90, 30].tolist() == [-1, -1, 1]
    assert picture[0, :, 90, 70].tolist() == [1, 1, 1]
    lit = (picture[0, 0] + 1) / 2
    assert lit.sum().item() == pytest.approx(3 * np.pi * 3.0**2, rel=0.05)
    assert picture[0, :, 0, 0].tolist() == [-1, -1, -1]


def test_landmarks_outside_leave_the_picture_black():
    assert (dots(torch.full((1, 5, 2), -50.0), 3.0, [(255, 255, 255)] * 5) == -1).all()
