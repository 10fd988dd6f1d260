import numpy as np
import pytest
from scipy import ndimage

from filters.sharpness import Sharpness
from tests.filters.batches import batch, directions


def crops():
    sharp = np.random.default_rng(0).integers(0, 256, (112, 112, 3)).astype(float)
    blurred = ndimage.gaussian_filter(sharp, sigma=(2, 2, 0))
    return np.stack([sharp, blurred, np.full_like(sharp, 128)])


def test_a_flat_face_has_none_and_a_blurred_one_less_than_a_sharp_one():
    sharp, blurred, flat = Sharpness().measure(batch(directions(0, 1, 2), aligned=crops()))

    assert flat == pytest.approx(0, abs=1e-6)
    assert 0 < blurred < sharp / 100


def test_it_is_the_variance_of_the_laplacian_of_the_luma():
    crop = crops()[:1].astype(np.uint8)

    number = Sharpness().measure(batch(directions(0), aligned=crop))[0]

    luma = crop[0].astype(float) @ [0.299, 0.587, 0.114]
    assert number == pytest.approx(ndimage.laplace(luma)[1:-1, 1:-1].var(), rel=1e-5)


def test_sharpness_is_nan_without_a_face():
    assert np.isnan(Sharpness().measure(batch(directions(0), found=[False]))).all()
