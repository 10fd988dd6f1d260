import dataclasses

import numpy as np
import pytest

from synth.types import FaceBatch, Faces, Generated


def faces(count=3):
    return Faces(
        found=np.ones(count, np.bool_),
        scores=np.ones(count, np.float32),
        counts=np.ones(count, np.int32),
        boxes=np.zeros((count, 4), np.float32),
        landmarks=np.zeros((count, 5, 2), np.float32),
        aligned=np.zeros((count, 112, 112, 3), np.uint8),
        embeddings=np.zeros((count, 128), np.float32),
    )


def batch(count=3):
    return FaceBatch(
        identities=np.zeros(count, np.int64),
        indices=np.arange(count, dtype=np.int32),
        vectors=np.zeros((count, 512), np.float32),
        images=np.zeros((count, 64, 48, 3), np.uint8),
        faces=faces(count),
    )


@pytest.mark.parametrize("count", [0, 1, 3])
def test_whole_batches_pass(count):
    assert len(batch(count).faces.found) == count


@pytest.mark.parametrize("make", [faces, batch])
def test_another_dtype_is_refused_with_the_fields_name(make):
    good = make()
    for field in dataclasses.fields(good):
        array = getattr(good, field.name)
        if isinstance(array, np.ndarray):
            with pytest.raises(TypeError, match=rf"\.{field.name}: expected {array.dtype}, got complex64"):
                dataclasses.replace(good, **{field.name: array.astype(np.complex64)})


@pytest.mark.parametrize("make", [faces, batch])
def test_another_shape_or_size_is_refused_with_the_fields_name(make):
    good = make()
    for field in dataclasses.fields(good):
        array = getattr(good, field.name)
        if isinstance(array, np.ndarray):
            for wrong in (array[..., None], array[:2]):
                with pytest.raises(ValueError, match="expected shape"):
                    dataclasses.replace(good, **{field.name: wrong})


def test_faces_of_another_batch_are_refused():
    with pytest.raises(ValueError, match=r"FaceBatch.faces: 2 rows, identities has 3"):
        dataclasses.replace(batch(), faces=faces(2))


def test_truth_has_a_row_an_image():
    images = np.zeros((3, 8, 8, 3), np.uint8)

    assert Generated(images=images, truth={"yaw": np.zeros(3)}).truth["yaw"].shape == (3,)
    with pytest.raises(ValueError, match=r"Generated.truth\['yaw'\]: 2 rows for 3 images"):
        Generated(images=images, truth={"yaw": np.zeros(2)})
    with pytest.raises(ValueError, match=r"Generated.images: expected shape"):
        Generated(images=images[..., :1], truth={})
