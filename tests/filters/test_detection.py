import numpy as np
import pytest

from filters.detection import Detection
from tests.filters.batches import batch, directions


def test_detection_is_the_detectors_confidence():
    numbers = Detection().measure(batch(directions(0, 10, 20), scores=[0.3, 0.9, 0.7], found=[True, True, False]))

    assert numbers[:2] == pytest.approx([0.3, 0.9])
    assert np.isnan(numbers[2])
