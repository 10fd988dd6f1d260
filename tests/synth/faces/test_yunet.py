import numpy as np
import pytest

from synth.faces.yunet import STRIDES, decode

SIDE = 64


def empty_outputs(batch=1):
    outputs = {}
    for stride in STRIDES:
        cells = (SIDE // stride) ** 2
        for kind, width in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
            outputs[f"{kind}_{stride}"] = np.zeros((batch, cells, width), dtype=np.float32)
    return outputs


def put(outputs, stride, row, column, *, score, size, image=0):
    """Puts a face of `size` px on the corner of a cell, all landmarks half a cell right of and below it."""
    cell = row * (SIDE // stride) + column
    outputs[f"cls_{stride}"][image, cell] = score
    outputs[f"obj_{stride}"][image, cell] = score
    outputs[f"bbox_{stride}"][image, cell] = [0, 0, np.log(size / stride), np.log(size / stride)]
    outputs[f"kps_{stride}"][image, cell] = 0.5


def test_boxes_and_landmarks_are_in_px():
    outputs = empty_outputs()
    put(outputs, 16, row=1, column=2, score=0.8, size=20)

    faces = decode(outputs, 0, SIDE, min_score=0.5)

    assert faces.scores == pytest.approx([0.8])
    assert faces.boxes[0] == pytest.approx([22, 6, 42, 26], abs=1e-4)
    assert faces.landmarks[0] == pytest.approx(np.tile([40, 24], (5, 1)))


def test_the_score_is_the_geometric_mean_of_two_probabilities():
    outputs = empty_outputs()
    put(outputs, 8, row=0, column=0, score=0.9, size=8)
    outputs["obj_8"][0, 0] = 0.4
    outputs["cls_8"][0, 0] = 1.5  # the network's own outputs may leave 0..1 a little

    assert decode(outputs, 0, SIDE, min_score=0.5).scores == pytest.approx([np.sqrt(0.4)])


def test_weaker_boxes_that_overlap_go_and_others_stay():
    outputs = empty_outputs()
    put(outputs, 8, row=2, column=2, score=0.7, size=20)
    put(outputs, 8, row=2, column=3, score=0.9, size=24)
    put(outputs, 32, row=1, column=1, score=0.6, size=10)

    faces = decode(outputs, 0, SIDE, min_score=0.5)

    assert faces.scores == pytest.approx([0.9, 0.6])
    assert faces.largest() == 0


def test_the_largest_face_need_not_be_the_surest():
    outputs = empty_outputs()
    put(outputs, 8, row=6, column=6, score=0.9, size=8)
    put(outputs, 16, row=1, column=1, score=0.6, size=30)

    assert decode(outputs, 0, SIDE, min_score=0.5).largest() == 1


def test_images_of_a_batch_have_their_own_faces():
    outputs = empty_outputs(batch=2)
    put(outputs, 8, row=1, column=1, score=0.9, size=10, image=1)

    assert len(decode(outputs, 0, SIDE, min_score=0.5).scores) == 0
    assert len(decode(outputs, 1, SIDE, min_score=0.5).scores) == 1


def test_faces_below_the_score_are_left_out():
    outputs = empty_outputs()
    put(outputs, 8, row=1, column=1, score=0.49, size=10)

    assert decode(outputs, 0, SIDE, min_score=0.5).boxes.shape == (0, 4)
