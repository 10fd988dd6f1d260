import numpy as np
import pytest

from synth.alignment import ARCFACE_TEMPLATE
from synth.faces.detection import Detections, check_min_score, describe_largest, framed, unframed


def detections(*boxes, score=0.9):
    """Faces on the ArcFace template, moved by their number."""
    boxes = np.array(boxes, dtype=np.float32).reshape(-1, 4)
    shifts = np.arange(len(boxes))[:, None, None]
    return Detections(
        scores=np.full(len(boxes), score, dtype=np.float32),
        boxes=boxes,
        landmarks=(ARCFACE_TEMPLATE[None] + shifts).astype(np.float32),
    )


def gradients(count, height, width):
    rows, columns = np.mgrid[:height, :width]
    image = np.stack([rows % 256, columns % 256, (rows + columns) % 256], axis=-1).astype(np.uint8)
    return np.repeat(image[None], count, axis=0)


@pytest.mark.parametrize(
    ("shape", "inside", "sides"), [((80, 40), (160, 80), (224, 160)), ((40, 80), (80, 160), (160, 224))]
)
def test_a_framed_image_keeps_its_ratio_with_black_around(shape, inside, sides):
    frames, scale = framed(np.full((2, *shape, 3), 200, dtype=np.uint8), 160, 32, 32)

    assert frames.shape == (2, *sides, 3)
    assert scale.tolist() == [2, 2]
    lit = frames.any(axis=(0, 3))
    assert np.flatnonzero(lit.any(axis=1))[[0, -1]].tolist() == [32, 32 + inside[0] - 1]
    assert np.flatnonzero(lit.any(axis=0))[[0, -1]].tolist() == [32, 32 + inside[1] - 1]


def test_an_image_of_the_right_size_is_framed_as_it_is():
    images = gradients(1, 96, 96)

    frames, _ = framed(images, 96, 16, 128)

    assert np.array_equal(frames[:, 16:112, 16:112], images)


def test_what_is_found_in_the_frame_is_moved_to_the_image():
    found = Detections(
        scores=np.array([0.7], dtype=np.float32),
        boxes=np.array([[32, 52, 132, 192]], dtype=np.float32),
        landmarks=np.full((1, 5, 2), 32.5, dtype=np.float32),
    )

    moved = unframed(found, np.array([2, 4], dtype=np.float32), 32)

    assert moved.boxes.tolist() == [[0, 5, 50, 40]]
    # Whole numbers are centres of pixels, so 0.5 px past the border is (0.5 + 0.5) / scale - 0.5.
    assert moved.landmarks[0, 0] == pytest.approx([0, -0.25])


def test_the_largest_face_of_each_image_is_aligned_and_embedded():
    images = gradients(3, 112, 112)
    faces = [detections([0, 0, 10, 10], [0, 0, 50, 40]), detections(), detections([0, 0, 30, 30])]

    described = describe_largest(images, faces, lambda aligned: aligned[:, 60, 60].astype(np.float32), 3)

    assert described.found.tolist() == [True, False, True]
    assert described.counts.tolist() == [2, 0, 1]
    assert described.boxes.tolist() == [[0, 0, 50, 40], [0, 0, 0, 0], [0, 0, 30, 30]]
    assert described.embeddings.tolist() == [[61, 61, 122], [0, 0, 0], [60, 60, 120]]
    assert np.array_equal(described.aligned[2], images[2])


@pytest.mark.parametrize("score", [0.0, -0.1, 1.01, float("nan")])
def test_scores_out_of_range_are_refused(score):
    with pytest.raises(ValueError, match="expected 0 < min_score <= 1"):
        check_min_score(score)
