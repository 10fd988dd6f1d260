import numpy as np

from filters.face_count import FaceCount
from tests.filters.batches import batch, directions


def test_face_count_is_the_number_of_faces():
    numbers = FaceCount().measure(batch(directions(0, 10, 20), counts=[1, 3, 1], found=[True, True, False]))

    assert numbers[:2].tolist() == [1, 3]
    assert np.isnan(numbers[2])


def test_images_with_a_second_face_do_not_pass_a_max_of_one():
    only_one = FaceCount(max=1)

    assert only_one.passes(only_one.measure(batch(directions(0, 10), counts=[1, 2]))).tolist() == [True, False]
