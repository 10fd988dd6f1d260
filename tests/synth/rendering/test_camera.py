import numpy as np
import pytest

from synth.rendering.camera import TEMPLATE, camera_for, rotation, similarity
from synth.rendering.nuisance import CameraPlacement

LANDMARKS = np.array([[-0.31, 0.25, 1.1], [0.31, 0.25, 1.1], [0, -0.1, 1.4], [-0.25, -0.4, 1.1], [0.25, -0.4, 1.1]])
EXACT = CameraPlacement(
    distance=8.0, fill=0.85, shift=(0.0, 0.0), alignment_shift_px=(0.0, 0.0), alignment_scale=1.0, alignment_roll=0.0
)


def moved(shift_px):
    return CameraPlacement(
        distance=8.0, fill=0.85, shift=(0.0, 0.0), alignment_shift_px=shift_px, alignment_scale=1.0, alignment_roll=0.0
    )


def test_similarity_recovers_a_known_transform():
    angle, scale, shift = 0.4, 1.7, np.array([3.0, -8.0])
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    found = similarity(TEMPLATE, TEMPLATE @ turn.T + shift)
    assert found == pytest.approx(np.column_stack([turn, shift]))


@pytest.mark.parametrize("size", [112, 256])
@pytest.mark.parametrize("yaw", [0, 25, -60])
def test_aligned_camera_leaves_nothing_to_align(size, yaw):
    landmarks = LANDMARKS @ rotation(yaw, 8, 12).T
    camera = camera_for("aligned", size, EXACT, landmarks)
    left_over = similarity(camera.project(landmarks), TEMPLATE * size / 112)
    assert left_over == pytest.approx(np.array([[1, 0, 0], [0, 1, 0]]), abs=1e-6)


def test_frontal_landmarks_lie_on_the_template():
    camera = camera_for("aligned", 112, EXACT, LANDMARKS)
    assert abs(camera.project(LANDMARKS) - TEMPLATE).mean() < 3


def test_alignment_error_moves_the_picture_in_template_pixels():
    camera = camera_for("aligned", 224, moved((1.5, -0.5)), LANDMARKS)
    exact = camera_for("aligned", 224, EXACT, LANDMARKS)
    assert camera.project(LANDMARKS) - exact.project(LANDMARKS) == pytest.approx(np.tile([3.0, -1.0], (5, 1)))


def test_portrait_has_the_head_in_the_middle():
    camera = camera_for("portrait", 200, EXACT, LANDMARKS)
    assert camera.project(np.zeros(3)) == pytest.approx([100, 100])
    top, bottom = camera.project(np.array([[0, 1.175, 0], [0, -1.175, 0]]))
    assert bottom[1] - top[1] == pytest.approx(0.85 * 200)


def test_rotation_turns_to_the_left_up_and_anticlockwise():
    forwards, upwards = np.array([0, 0, 1]), np.array([0, 1, 0])
    assert (rotation(30, 0, 0) @ forwards)[0] > 0.4
    assert (rotation(0, 30, 0) @ forwards)[1] > 0.4
    assert (rotation(0, 0, 30) @ upwards)[0] < -0.4
    assert rotation(10, 20, 30) @ rotation(10, 20, 30).T == pytest.approx(np.eye(3))
