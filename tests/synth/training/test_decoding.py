import io

import numpy as np
import pytest
from PIL import Image

from synth.images import decode_image, encode_jpeg, encode_png
from synth.training.decoding import decode_into, size_of


def noise(height=40, width=56):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def subsampled(image):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=90, subsampling=2)
    return buffer.getvalue()


def progressive(image):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=80, progressive=True)
    return buffer.getvalue()


def grey(image):
    buffer = io.BytesIO()
    Image.fromarray(image).convert("L").save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


@pytest.mark.parametrize("encode", [encode_jpeg, subsampled, progressive, grey, encode_png])
def test_pixels_are_those_of_pillow(encode):
    data = encode(noise())
    batch = np.zeros((3, 40, 56, 3), dtype=np.uint8)

    decode_into(data, batch[1])

    assert np.array_equal(batch[1], decode_image(data))
    assert not batch[[0, 2]].any()


@pytest.mark.parametrize("encode", [encode_jpeg, encode_png])
@pytest.mark.parametrize("size", [(20, 28), (80, 112), (56, 40)])
def test_images_of_another_size_are_refused(encode, size):
    with pytest.raises(ValueError, match=r"px|buffer"):
        decode_into(encode(noise()), np.zeros((*size, 3), dtype=np.uint8))


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"\xff\xd8\xff\xe0nothing", b"GIF89a"])
def test_data_that_are_no_image_are_refused(data):
    with pytest.raises(ValueError):  # noqa: PT011, the decoders' own words
        decode_into(data, np.zeros((8, 8, 3), dtype=np.uint8))


def test_a_jpeg_that_is_cut_short_is_refused():
    data = encode_jpeg(noise())

    with pytest.raises(ValueError):  # noqa: PT011, the decoder's own words
        decode_into(data[: len(data) // 2], np.zeros((40, 56, 3), dtype=np.uint8))


@pytest.mark.parametrize("encode", [encode_jpeg, encode_png])
def test_sizes_are_read(encode):
    assert size_of(encode(noise())) == (40, 56)
