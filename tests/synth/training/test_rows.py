import numpy as np
import pytest

from synth.errors import ShardError
from synth.images import encode_png
from synth.shards.dataset import DatasetReader
from synth.training.rows import decode_row, decode_rows, row_size
from synth.training.split import Part
from synth.training.validation import Validation
from tests.synth.training.faces import write_dataset


@pytest.fixture
def reader(tmp_path):
    write_dataset(tmp_path, identities=6, per_identity=3, encode=encode_png)
    return DatasetReader(tmp_path)


def damaged(tmp_path, image):
    """A dataset whose last three images were replaced."""
    count = iter(range(1_000))
    write_dataset(
        tmp_path, identities=6, per_identity=3, encode=lambda face: image if next(count) >= 15 else encode_png(face)
    )
    return DatasetReader(tmp_path)


def test_rows_come_as_one_array_in_their_order(reader):
    images = decode_rows(reader, np.array([4, 0]))
    one = np.empty_like(images[0])
    decode_row(reader, 0, one)

    assert images.shape == (2, *row_size(reader, 0), 3)
    np.testing.assert_array_equal(images[1], one)
    assert not np.array_equal(images[0], one)


@pytest.mark.parametrize("image", [b"no image", b"", encode_png(np.zeros((96, 96, 3), np.uint8))], ids=len)
def test_what_cannot_be_decoded_is_named(tmp_path, image):
    reader = damaged(tmp_path, image)

    with pytest.raises(ShardError, match=r"\.tar at offset \d+: .*; make the dataset again"):
        decode_rows(reader, np.arange(len(reader)))


def test_a_first_image_that_cannot_be_decoded_is_named(tmp_path):
    reader = damaged(tmp_path, b"no image")

    with pytest.raises(ShardError, match=r"\.tar at offset \d+: "):
        row_size(reader, len(reader) - 1)


def test_the_judge_names_what_it_cannot_decode(tmp_path):
    reader = damaged(tmp_path, b"no image")
    held_out = Part(np.arange(10, 18), reader.labels[10:18])

    with pytest.raises(ShardError, match=r"\.tar at offset \d+: "):
        Validation(reader, held_out, 0)
