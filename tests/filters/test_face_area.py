import numpy as np
import pytest

from filters.face_area import FaceArea
from tests.filters.batches import batch, directions


def test_face_area_is_the_share_of_the_image_that_the_box_covers():
    numbers = FaceArea().measure(batch(directions(0, 10), boxes=[[0, 0, 20, 5], [10, 5, 20, 10]], size=(10, 20)))

    assert numbers.tolist() == pytest.approx([0.5, 0.25])


def test_what_lies_beyond_the_image_is_not_face_area():
    numbers = FaceArea().measure(batch(directions(0, 10), boxes=[[-9, -9, 99, 99], [15, -9, 99, 4]], size=(10, 20)))

    assert numbers.tolist() == pytest.approx([1, 0.1])


def test_face_area_is_nan_without_a_face():
    assert np.isnan(FaceArea().measure(batch(directions(0), found=[False]))).all()
