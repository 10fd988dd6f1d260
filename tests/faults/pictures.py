"""Pictures that harm: headers that claim more than memory holds, and kinds that detectors and decoders trip over."""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache

import numpy as np
from PIL import Image


@cache
def bombs() -> dict[str, bytes]:
    """Returns files of a few bytes that claim, or unpack to, very many; none of them may be read."""
    page = zlib.compress(bytes(10**8))
    return {
        "a PNG of 2**31 by 2**31 px": png(2**31 - 1, 2**31 - 1),
        "a PNG just under Pillow's bound": png(13_000, 13_000),
        "a JPEG of 65,500 by 65,500 px": jpeg(65_500, 65_500),
        "a JPEG just under Pillow's bound": jpeg(13_000, 13_000),
        "a PNG with 100 MB of text": png(5, 5, bytes(80), chunk(b"zTXt", b"a\0\0" + page)),
        "a PNG with 100 MB of XMP": png(5, 5, bytes(80), chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + page)),
    }


def unreadable() -> dict[str, bytes]:
    """Returns files that hold no picture we take."""
    return {
        "no bytes": b"",
        "a PNG without a pixel": png(0, 0),
        "a JPEG without a pixel": jpeg(0, 0),
        "a PNG of 16 bits": encoded(Image.fromarray(np.zeros((40, 40), dtype=np.uint16)), "PNG"),
        "a GIF": encoded(Image.new("RGB", (40, 40)), "GIF"),
    }


def odd() -> dict[str, bytes]:
    """Returns pictures that are unusual and right."""
    red = Image.new("RGB", (40, 40), "red")
    return {
        "one pixel": encoded(Image.new("RGB", (1, 1)), "PNG"),
        "a line": encoded(Image.new("RGB", (1, 900)), "PNG"),
        "grey": encoded(Image.new("L", (40, 40)), "JPEG"),
        "CMYK": encoded(Image.new("CMYK", (40, 40)), "JPEG"),
        "an animated PNG": encoded(Image.new("RGB", (40, 40)), "PNG", save_all=True, append_images=[red]),
        "an animated WebP": encoded(Image.new("RGB", (40, 40)), "WEBP", save_all=True, append_images=[red]),
    }


def png(width: int, height: int, rows: bytes = b"", extra: bytes = b"") -> bytes:
    """Returns an RGB PNG with a header of our choice."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + data + chunk(b"IEND", b"")


def chunk(kind: bytes, data: bytes) -> bytes:
    """Returns a chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def jpeg(width: int, height: int) -> bytes:
    """Returns a JPEG of 16 by 16 px whose frame header says otherwise."""
    data = bytearray(encoded(Image.new("RGB", (16, 16)), "JPEG"))
    start = data.index(b"\xff\xc0")
    data[start + 5 : start + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """Returns a picture's file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)  # type: ignore[arg-type]
    return buffer.getvalue()
