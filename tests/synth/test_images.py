import io

import numpy as np
import pytest
from PIL import Image

from synth.images import TRAINED_ALGORITHMIC_MEDIA, decode_image, encode_jpeg, encode_png, provenance


def picture(height=40, width=56):
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows * 5 % 256, columns * 4 % 256, (rows + columns) % 256], axis=2).astype(np.uint8)


def encoded(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, **options)
    return buffer.getvalue()


def test_png_gives_back_the_same_pixels():
    assert np.array_equal(decode_image(encode_png(picture())), picture())


def test_jpeg_gives_back_nearly_the_same_pixels():
    smooth = picture(32, 32)

    difference = decode_image(encode_jpeg(smooth)).astype(int) - smooth

    assert np.abs(difference).mean() < 2


def test_jpeg_keeps_red_red():
    red = np.zeros((16, 16, 3), dtype=np.uint8)
    red[..., 0] = 255

    decoded = decode_image(encode_jpeg(red))

    assert decoded[8, 8, 0] > 250
    assert decoded[8, 8, 2] < 5


def test_jpeg_has_no_chroma_subsampling_and_is_not_progressive():
    with Image.open(io.BytesIO(encode_jpeg(picture()))) as image:
        sampling = {(horizontal, vertical) for _, horizontal, vertical, _ in image.layer}
        assert sampling == {(1, 1)}
        assert "progressive" not in image.info


def test_the_same_image_gives_the_same_bytes():
    assert encode_jpeg(picture()) == encode_jpeg(picture())
    assert encode_png(picture()) == encode_png(picture())


def test_a_view_that_is_not_contiguous_encodes_like_its_copy():
    view = picture()[:, ::-1]

    assert encode_jpeg(view) == encode_jpeg(view.copy())


@pytest.mark.parametrize("encode", [encode_jpeg, encode_png])
def test_encoded_images_say_that_a_model_made_them(encode):
    assert provenance(encode(picture())) == TRAINED_ALGORITHMIC_MEDIA


def test_the_mark_costs_less_than_500_bytes():
    plain = encoded(Image.fromarray(picture()), format="JPEG", quality=95, subsampling=0)

    assert len(encode_jpeg(picture())) - len(plain) < 500


def test_provenance_is_none_where_an_image_carries_none():
    assert provenance(encoded(Image.fromarray(picture()), format="JPEG")) is None


def test_provenance_reads_the_element_form_too():
    packet = b"<Iptc4xmpExt:DigitalSourceType>http://example.org/made</Iptc4xmpExt:DigitalSourceType>"

    data = encoded(Image.fromarray(picture()), format="JPEG", xmp=packet)

    assert provenance(data) == "http://example.org/made"


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK"])
def test_other_modes_are_read_as_rgb(mode):
    data = encoded(Image.fromarray(picture()).convert(mode), format="JPEG" if mode == "CMYK" else "PNG")

    assert decode_image(data).shape == picture().shape


def test_sixteen_bit_images_are_refused():
    deep = encoded(Image.fromarray(np.zeros((8, 8), dtype=np.uint16)), format="PNG")

    with pytest.raises(ValueError, match="8 bits"):
        decode_image(deep)


@pytest.mark.parametrize("data", [b"", b"no image", b"\xff\xd8\xff"])
def test_bytes_that_are_no_image_are_refused(data):
    with pytest.raises(ValueError, match=f"{len(data)} bytes that are no JPEG"):
        decode_image(data)


@pytest.mark.parametrize("encode", [encode_jpeg, encode_png])
def test_a_cut_image_is_refused(encode):
    data = encode(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))

    with pytest.raises(ValueError, match="damaged"):
        decode_image(data[: len(data) // 2])


def test_a_png_with_a_flipped_byte_is_refused():
    data = bytearray(encode_png(picture()))
    data[data.index(b"IDAT") + 12] ^= 0xFF

    with pytest.raises(ValueError, match="damaged"):
        decode_image(bytes(data))


def test_arrays_of_another_kind_are_refused():
    with pytest.raises(TypeError, match="uint8"):
        encode_jpeg(picture().astype(np.float32))
    with pytest.raises(ValueError, match=r"\(H, W, 3\)"):
        encode_png(picture()[..., 0])
    with pytest.raises(ValueError, match="quality 0"):
        encode_jpeg(picture(), quality=0)
