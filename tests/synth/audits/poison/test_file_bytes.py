import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from synth.audits.poison import file_bytes
from synth.audits.poison.file_bytes import findings
from synth.images import encode_jpeg, encode_png
from tests.synth.audits.crowds import faces

PICTURE = faces(1)[0]
JPEG, PNG = encode_jpeg(PICTURE), encode_png(PICTURE)


def saved(extension, **options):
    buffer = io.BytesIO()
    Image.fromarray(PICTURE).save(buffer, format="JPEG" if extension == "jpg" else "PNG", **options)
    return buffer.getvalue()


def with_segment(marker, content):
    return JPEG[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content + JPEG[2:]


def with_chunk(name, content):
    chunk = struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
    return PNG[:33] + chunk + PNG[33:]  # behind the header


@pytest.mark.parametrize("seed", range(20))
def test_what_we_encode_has_nothing_unusual(seed):
    noise = np.random.default_rng(seed).integers(0, 256, (40, 24, 3), dtype=np.uint8)  # many stuffed bytes

    assert findings(encode_jpeg(noise, quality=100), "jpg") == []
    assert findings(encode_png(noise), "png") == []


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"optimize": True, "quality": 30}, {"subsampling": 2}])
def test_plain_files_of_others_have_nothing_unusual(options):
    assert findings(saved("jpg", **options), "jpg") == []
    assert findings(saved("png"), "png") == []


def test_restart_markers_belong_to_the_picture():
    data = saved("jpg", restart_marker_blocks=2)

    assert any(bytes([0xFF, marker]) in data for marker in range(0xD0, 0xD8))
    assert findings(data, "jpg") == []


@pytest.mark.parametrize(("data", "extension"), [(JPEG, "jpg"), (PNG, "png")], ids=["jpeg", "png"])
@pytest.mark.parametrize("tail", [b"x", b"PK\x03\x04" + bytes(50), JPEG], ids=["a byte", "an archive", "an image"])
def test_data_behind_the_end_are_found(data, extension, tail):
    assert findings(data + tail, extension) == [file_bytes.TRAILING]


@pytest.mark.parametrize(("data", "extension"), [(JPEG, "jpg"), (PNG, "png")], ids=["jpeg", "png"])
def test_a_cut_off_file_is_found_wherever_it_is_cut(data, extension):
    for length in range(9, len(data) - 1, 37):
        assert file_bytes.CUT_OFF in findings(data[:length], extension), length


@pytest.mark.parametrize("data", [b"", b"GIF89a", PNG, b"\xff\xd8", b"PK\x03\x04" + JPEG])
def test_what_is_no_jpeg_is_found(data):
    assert findings(data, "jpg") == [file_bytes.NO_IMAGE]


def test_a_jpeg_under_the_name_of_a_png_is_found():
    assert findings(JPEG, "png") == [file_bytes.NO_IMAGE]


def test_exif_and_colour_profiles_are_found():
    exif = Image.Exif()
    exif[0x010E] = "a description"

    assert findings(saved("jpg", exif=exif, icc_profile=b"profile"), "jpg") == [file_bytes.EXIF, file_bytes.PROFILE]
    assert set(findings(saved("png", exif=exif, icc_profile=b"profile"), "png")) == {
        file_bytes.EXIF,
        file_bytes.PROFILE,
    }


def test_a_thumbnail_within_exif_is_no_end_of_the_picture():
    data = with_segment(0xE1, b"Exif\0\0" + JPEG)

    assert findings(data, "jpg") == [file_bytes.EXIF]


def test_another_mark_than_ours_is_found():
    assert findings(saved("jpg", xmp=b"<x:xmpmeta/>"), "jpg") == [file_bytes.OTHER_XMP]
    text = PngImagePlugin.PngInfo()
    text.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta/>")
    assert findings(saved("png", pnginfo=text), "png") == [file_bytes.OTHER_XMP]


def test_comments_and_private_segments_are_found():
    assert findings(saved("jpg", comment=b"a trigger"), "jpg") == [file_bytes.OTHER]
    assert findings(with_segment(0xED, b"Photoshop 3.0\0"), "jpg") == [file_bytes.OTHER]
    assert findings(with_chunk(b"tEXt", b"Comment\0a trigger"), "png") == [file_bytes.OTHER]
    assert findings(with_chunk(b"prVt", b"anything"), "png") == [file_bytes.OTHER]


def ends_of_segments():
    """Returns where the segments before the scan of JPEG end."""
    ends, position = [], 2
    while JPEG[position + 1] != 0xDA:
        position += 2 + int.from_bytes(JPEG[position + 2 : position + 4], "big")
        ends.append(position)
    return ends


@pytest.mark.parametrize("end", ends_of_segments())
@pytest.mark.parametrize("hidden", [b"hidden", b"\0"], ids=["text", "a byte"])
def test_bytes_between_segments_are_found(end, hidden):
    assert findings(JPEG[:end] + hidden + JPEG[end:], "jpg") == [file_bytes.DAMAGED]


def test_random_bytes_never_crash_the_screen():
    random = np.random.default_rng(0)
    for _ in range(300):
        data = bytearray(JPEG if random.random() < 0.5 else PNG)
        for at in random.integers(0, len(data), 5):
            data[at] = random.integers(0, 256)
        for extension in ("jpg", "png"):
            assert isinstance(findings(bytes(data), extension), list)
