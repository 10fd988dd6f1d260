import numpy as np

from filters.face_side import FaceSide
from tests.filters.batches import batch, directions


def test_face_side_is_the_shorter_side_of_the_box():
    numbers = FaceSide().measure(batch(directions(0, 10), boxes=[[0, 0, 20, 5], [10, 5, 14, 10]], size=(10, 20)))

    assert numbers.tolist() == [5, 4]


def test_a_face_that_the_edge_cuts_off_has_a_short_side():
    numbers = FaceSide().measure(batch(directions(0, 10), boxes=[[17, 0, 30, 10], [-50, 2, -8, 9]], size=(10, 20)))

    assert numbers.tolist() == [3, 0]


def test_face_side_is_nan_without_a_face():
    assert np.isnan(FaceSide().measure(batch(directions(0), found=[False]))).all()
