import numpy as np
import pytest
from scipy import ndimage

from synth.alignment import ARCFACE_TEMPLATE, align, similarity_transform


def umeyama(source, target):
    """Umeyama (1991), by singular value decomposition: an independent way to the same transform."""
    source_mean, target_mean = source.mean(0), target.mean(0)
    covariance = (target - target_mean).T @ (source - source_mean) / len(source)
    left, values, right = np.linalg.svd(covariance)
    signs = np.array([1, np.sign(np.linalg.det(left) * np.linalg.det(right))])
    rotation = left @ np.diag(signs) @ right
    scale = (values * signs).sum() / ((source - source_mean) ** 2).sum(1).mean()
    return np.column_stack([scale * rotation, target_mean - scale * rotation @ source_mean])


def turned(points, scale, degrees, shift):
    angle = np.radians(degrees)
    rotation = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return points @ rotation.T + shift


def test_the_template_itself_needs_no_change():
    transform = similarity_transform(ARCFACE_TEMPLATE[None].astype(np.float32))

    assert transform[0] == pytest.approx(np.array([[1, 0, 0], [0, 1, 0]]), abs=1e-5)


def test_it_agrees_with_umeyamas_solution_for_any_landmarks():
    landmarks = np.random.default_rng(0).uniform(0, 200, (50, 5, 2)).astype(np.float32)

    transforms = similarity_transform(landmarks)

    for points, transform in zip(landmarks.astype(np.float64), transforms, strict=True):
        assert transform == pytest.approx(umeyama(points, ARCFACE_TEMPLATE), abs=1e-9)


def test_a_mirrored_face_is_turned_not_mirrored():
    mirrored = (ARCFACE_TEMPLATE * [-1, 1] + [112, 0])[None].astype(np.float32)

    linear = similarity_transform(mirrored)[0, :, :2]

    assert np.linalg.det(linear) > 0


def test_a_known_similarity_is_undone():
    landmarks = turned(ARCFACE_TEMPLATE, scale=2.5, degrees=20, shift=[30, -4])[None].astype(np.float32)

    transform = similarity_transform(landmarks)[0]

    moved = landmarks[0] @ transform[:, :2].T + transform[:, 2]
    assert moved == pytest.approx(ARCFACE_TEMPLATE, abs=1e-4)


def test_a_larger_crop_scales_the_template():
    transform = similarity_transform(ARCFACE_TEMPLATE[None].astype(np.float32), size=224)

    assert transform[0] == pytest.approx(np.array([[2, 0, 0], [0, 2, 0]]), abs=1e-5)


@pytest.mark.parametrize("bad", [np.full((5, 2), 3.0), np.full((5, 2), np.nan)])
def test_landmarks_that_coincide_or_are_not_finite_are_refused(bad):
    landmarks = np.stack([ARCFACE_TEMPLATE, bad]).astype(np.float32)

    with pytest.raises(ValueError, match="row 1"):
        similarity_transform(landmarks)


def test_an_aligned_image_comes_back_unchanged():
    image = np.random.default_rng(0).integers(0, 256, (1, 112, 112, 3), dtype=np.uint8)

    assert np.array_equal(align(image, ARCFACE_TEMPLATE[None].astype(np.float32)), image)


@pytest.mark.parametrize(
    ("scale", "degrees", "shift"), [(0.7, 0, [10, 20]), (1.9, 33, [60, 5]), (1.2, -120, [20, 140])]
)
def test_crops_agree_with_scipys_bilinear_sampling(scale, degrees, shift):
    random = np.random.default_rng(1)
    image = random.integers(0, 256, (1, 150, 130, 3), dtype=np.uint8)
    landmarks = turned(ARCFACE_TEMPLATE, scale, degrees, shift)[None].astype(np.float32)

    crop = align(image, landmarks)[0].astype(float)

    matrix = np.linalg.inv(np.vstack([umeyama(landmarks[0].astype(float), ARCFACE_TEMPLATE), [0, 0, 1]]))
    rows, columns = np.mgrid[:112, :112]
    x, y = (matrix[:2, :2] @ [columns.ravel(), rows.ravel()]) + matrix[:2, 2:]
    # A wide black frame, because scipy's own border does not fade to black over one pixel.
    framed = np.pad(image[0].astype(float), ((200, 200), (200, 200), (0, 0)))
    for channel in range(3):
        expected = ndimage.map_coordinates(framed[..., channel], [y + 200, x + 200], order=1)
        assert np.abs(crop[..., channel].ravel() - expected).max() <= 0.51


def test_outside_of_the_image_is_black():
    white = np.full((1, 40, 40, 3), 255, dtype=np.uint8)

    crop = align(white, (ARCFACE_TEMPLATE[None] - 60).astype(np.float32))[0]

    assert crop[0, 0].tolist() == [0, 0, 0]
    assert crop[80, 80].tolist() == [255, 255, 255]


def test_images_of_a_batch_do_not_touch_each_other():
    images = np.random.default_rng(2).integers(0, 256, (3, 90, 120, 3), dtype=np.uint8)
    landmarks = np.stack([turned(ARCFACE_TEMPLATE, 0.8, angle, [5, 5]) for angle in (0, 10, 20)]).astype(np.float32)

    together = align(images, landmarks)

    for row in range(3):
        assert np.array_equal(align(images[row : row + 1], landmarks[row : row + 1])[0], together[row])


def test_no_images_give_no_crops():
    crops = align(np.empty((0, 64, 64, 3), dtype=np.uint8), np.empty((0, 5, 2), dtype=np.float32))

    assert crops.shape == (0, 112, 112, 3)
