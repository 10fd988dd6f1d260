import numpy as np
import pytest

from filters.detection import Detection


def test_numbers_within_the_bounds_pass_and_nan_never_does():
    passes = Detection(min=0.5, max=0.8).passes(np.array([0.4, 0.5, 0.8, 0.9, np.nan], dtype=np.float32))

    assert passes.tolist() == [False, True, True, False, False]


def test_nan_does_not_pass_without_bounds():
    assert Detection().passes(np.array([np.nan, 0], dtype=np.float32)).tolist() == [False, True]


def test_bounds_that_nothing_could_pass_are_refused():
    with pytest.raises(ValueError, match=r"min 0\.9 > max 0\.1"):
        Detection(min=0.9, max=0.1)
