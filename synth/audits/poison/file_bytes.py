"""What an encoded image carries besides its picture, read from its bytes without decoding it.

Formats: JPEG, ITU-T T.81 annex B; PNG, W3C Recommendation (second edition), section 5.
"""

from __future__ import annotations

from typing import Final

from synth.images import XMP_KEYWORD, XMP_PACKET

# What `findings` may say. The first four make a file suspicious, the others tell where it came from.
NO_IMAGE: Final = "not of its format"
CUT_OFF: Final = "cut off"
TRAILING: Final = "data behind its end"
DAMAGED: Final = "damaged structure"
EXIF: Final = "EXIF"
PROFILE: Final = "colour profile"
OTHER_XMP: Final = "XMP that is not ours"
OTHER: Final = "other metadata"
SUSPICIOUS: Final = (NO_IMAGE, CUT_OFF, TRAILING, DAMAGED)

_XMP_HEADER: Final = b"http://ns.adobe.com/xap/1.0/\0"
_SOI, _EOI, _SOS, _COMMENT = 0xD8, 0xD9, 0xDA, 0xFE
_APP0, _APP1, _APP2, _APP14, _APP15 = 0xE0, 0xE1, 0xE2, 0xEE, 0xEF
_PARTS_OF_A_PICTURE: Final = {0xDB, 0xC4, 0xDD, _SOS, *range(0xC0, 0xD0)} - {0xC8, 0xCC}  # tables, frames, scans
_FILL: Final = 0xFF
_OF_A_SCAN: Final = {0x00, *range(0xD0, 0xD8)}  # behind 0xFF within entropy-coded data: a stuffed byte, restarts
_PNG_MAGIC: Final = b"\x89PNG\r\n\x1a\n"
_PNG_CHUNKS: Final = {b"IHDR", b"PLTE", b"IDAT", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"sBIT", b"pHYs", b"bKGD"}
_PNG_NAMES: Final = {b"eXIf": EXIF, b"iCCP": PROFILE}


def findings(data: bytes, extension: str) -> list[str]:
    """Returns what is unusual about the bytes of an image; nothing for one that `synth.images` encoded.

    Args:
        data: the encoded image.
        extension: 'jpg' or 'png', what it should be.

    Returns:
        Names of this module, each once.
    """
    found = _png(data) if extension == "png" else _jpeg(data)
    return list(dict.fromkeys(found))


def _jpeg(data: bytes) -> list[str]:
    if data[:3] != b"\xff\xd8\xff":
        return [NO_IMAGE]
    found: list[str] = []
    position = 2
    while True:
        if len(data) < position + 4 and data[position : position + 2] != bytes([0xFF, _EOI]):
            return [*found, CUT_OFF]
        if data[position] != 0xFF:
            return [*found, DAMAGED]
        marker = data[position + 1]
        if marker == _EOI:
            return [*found, TRAILING] if len(data) > position + 2 else found
        if marker == _FILL:
            position += 1
            continue
        size = int.from_bytes(data[position + 2 : position + 4], "big")
        if size < 2:
            return [*found, DAMAGED]
        found += _segment(marker, data[position + 4 : position + 2 + size])
        position += 2 + size
        if marker == _SOS:
            position = _end_of_scan(data, position)


def _end_of_scan(data: bytes, position: int) -> int:
    """Returns where the next marker is behind entropy-coded data; the length of the data where there is none."""
    while True:
        position = data.find(b"\xff", position)
        if position < 0 or position + 1 == len(data):
            return len(data)
        if data[position + 1] not in _OF_A_SCAN and data[position + 1] != _FILL:
            return position
        position += 1 if data[position + 1] == _FILL else 2


def _segment(marker: int, content: bytes) -> list[str]:
    """Returns what is unusual about a segment of a JPEG."""
    if marker in _PARTS_OF_A_PICTURE or (marker == _APP0 and content[:5] == b"JFIF\0"):
        return []
    if marker == _APP1 and content.startswith(_XMP_HEADER):
        return [] if content[len(_XMP_HEADER) :] == XMP_PACKET.encode() else [OTHER_XMP]
    if marker == _APP1 and content[:4] == b"Exif":
        return [EXIF]
    if marker == _APP2 and content[:11] == b"ICC_PROFILE":
        return [PROFILE]
    if marker == _APP14 and content[:5] == b"Adobe":  # says which colours the picture has
        return []
    return [OTHER] if _APP0 <= marker <= _APP15 or marker == _COMMENT else [DAMAGED]


def _png(data: bytes) -> list[str]:
    if data[:8] != _PNG_MAGIC:
        return [NO_IMAGE]
    found: list[str] = []
    position = 8
    while True:
        size = int.from_bytes(data[position : position + 4], "big")
        name = data[position + 4 : position + 8]
        end = position + 12 + size
        if len(data) < end or len(name) < 4:
            return [*found, CUT_OFF]
        if name == b"IEND":
            return [*found, TRAILING] if len(data) > end else found
        if name == b"iTXt" and data[position + 8 : end - 4].startswith(XMP_KEYWORD.encode() + b"\0"):
            found += [] if data[position + 8 : end - 4].endswith(b"\0" + XMP_PACKET.encode()) else [OTHER_XMP]
        elif name not in _PNG_CHUNKS:
            found.append(_PNG_NAMES.get(name, OTHER))
        position = end
