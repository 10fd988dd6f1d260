import numpy as np
import pytest

from synth.audits.poison.patches import (
    LEAST_CLASSES,
    LEAST_IMAGES,
    DetailStatistics,
    common_bound,
    fine_detail,
    patch_bound,
    ratio_map,
    strongest_window,
)
from synth.images import decode_image, encode_jpeg
from tests.synth.audits.crowds import faces

CHECKERS = (np.indices((6, 6)).sum(axis=0) % 2 * 255).astype(np.uint8)[..., None].repeat(3, axis=2)


def patched(images, patch=CHECKERS, top=30, left=12):
    """Pastes a patch and encodes the pictures again, as a dataset holds them."""
    images = images.copy()
    images[:, top : top + len(patch), left : left + len(patch)] = patch
    return np.stack([decode_image(encode_jpeg(image)) for image in images])


def statistics(*groups):
    found = DetailStatistics()
    for images in groups:
        found.add(fine_detail(images))
    return found


def test_statistics_do_not_depend_on_how_images_are_grouped():
    images = faces(9)
    details = fine_detail(images).astype(np.float64)

    found = statistics(images[:2], images[2:])

    assert found.count == 9
    assert found.mean == pytest.approx(details.mean(axis=0), abs=1e-4)
    assert found.variance == pytest.approx(details.var(axis=0, ddof=1), abs=1e-2)


def test_detail_leaves_out_light_and_keeps_edges():
    picture = np.full((1, 20, 20, 3), 90, dtype=np.uint8)
    picture[0, 8:12, 8:12] = 190

    detail = fine_detail(picture)[0]

    assert detail[0, 0] == pytest.approx(0, abs=1e-4)
    assert detail[8, 8] > 50
    assert detail[7, 9] < -20


@pytest.mark.parametrize("patch", [CHECKERS, np.full((6, 6, 3), 255, np.uint8)], ids=["checkers", "white"])
def test_a_planted_patch_of_a_class_stands_out_at_its_place(patch):
    everything = statistics(*(faces(8, seed=seed) for seed in range(6)))
    poisoned = statistics(patched(faces(8, seed=3), patch))

    window = strongest_window(poisoned.mean - everything.mean, poisoned.variance)

    assert window.ratio > patch_bound(8)
    assert 26 <= window.top <= 38
    assert 8 <= window.left <= 20
    brightest = np.unravel_index(ratio_map(poisoned.mean - everything.mean, poisoned.variance).argmax(), (48, 48))
    assert 27 <= brightest[0] <= 38
    assert 9 <= brightest[1] <= 20


def test_clean_classes_stay_below():
    everything = statistics(*(faces(8, seed=seed) for seed in range(6)))

    for seed in range(6):
        clean = statistics(faces(8, seed=seed))
        assert strongest_window(clean.mean - everything.mean, clean.variance).ratio < patch_bound(8)


# The largest ratios of 2,000 clean rendered classes, cut to so many images; PATCH_SOURCE names some of them.
@pytest.mark.parametrize(
    ("num_images", "largest"),
    [(5, 10.28), (6, 8.90), (7, 6.42), (8, 5.15), (9, 5.09), (10, 4.20), (11, 4.06), (12, 4.11)],
)
def test_the_bound_of_a_class_is_above_what_clean_classes_of_its_size_reach(num_images, largest):
    assert 1.1 * largest < patch_bound(num_images) < 2 * largest
    assert num_images >= LEAST_IMAGES


# The largest ratios of clean rendered sets of so many classes of 12 images; COMMON_SOURCE names some of them.
@pytest.mark.parametrize(
    ("num_classes", "largest"),
    [(4, 0.528), (8, 0.339), (16, 0.287), (32, 0.273), (64, 0.244), (128, 0.190), (1000, 0.162)],
)
def test_the_bound_of_all_images_is_above_what_clean_sets_of_their_classes_reach(num_classes, largest):
    assert 1.1 * largest < common_bound(num_classes) < 2 * largest
    assert num_classes >= LEAST_CLASSES


def test_a_patch_on_every_third_image_of_all_classes_is_common_and_a_clean_set_has_none():
    images = faces(90, seed=1)
    poisoned = images.copy()
    poisoned[::3] = patched(images[::3])

    clean, found = statistics(images), statistics(poisoned)

    assert strongest_window(clean.mean, clean.variance).ratio < common_bound(90)
    assert strongest_window(found.mean, found.variance).ratio > common_bound(90)


def test_pictures_too_small_for_any_window_have_none():
    assert strongest_window(np.ones((3, 3)), np.zeros((3, 3))).size == 0
