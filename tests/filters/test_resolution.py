import numpy as np

from filters.resolution import Resolution
from tests.filters.batches import batch, directions


def test_resolution_is_the_height_of_the_box():
    numbers = Resolution().measure(batch(directions(0, 10), boxes=[[5, 10, 500, 60], [0, 0, 10, 90.5]]))

    assert numbers.tolist() == [50, 90.5]


def test_resolution_is_nan_without_a_face():
    assert np.isnan(Resolution().measure(batch(directions(0), found=[False]))).all()
