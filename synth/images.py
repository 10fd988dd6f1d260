"""Pictures as bytes: uint8 RGB arrays to JPEG or PNG and back, with a mark that says a model made them."""

from __future__ import annotations

import io
import re
import struct
import zlib

import numpy as np
import numpy.typing as npt
from PIL import Image, PngImagePlugin, UnidentifiedImageError

# IPTC NewsCodes "Digital Source Type": media created by an algorithm. Art. 50 of the EU AI Act asks for such marks.
TRAINED_ALGORITHMIC_MEDIA = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"

LUMA = np.array([0.299, 0.587, 0.114])  # of red, green and blue; ITU-R BT.601, as JPEG uses it

XMP_KEYWORD = "XML:com.adobe.xmp"  # name of PNG's text chunk for XMP (XMP specification, part 3, section 1.1.5)
XMP_PACKET = (
    '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
    f' Iptc4xmpExt:DigitalSourceType="{TRAINED_ALGORITHMIC_MEDIA}"/>'
    '</rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
)
_SOURCE_TYPE = re.compile(
    r'DigitalSourceType(?:\s*=\s*|\s+rdf:resource\s*=\s*|\s*>\s*)["\']?\s*([^"\'<>\s]+)',
)
MAX_PIXELS = 2**26  # of an image that is read, 201 MB of RGB: a few bytes can claim to be thousands of times that
_FORMATS = ("JPEG", "PNG", "WEBP")
_DEPTHS = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr")  # Pillow modes of at most 8 bits a channel
_DECODER_ERRORS = (
    OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error,
    Image.DecompressionBombError, Image.DecompressionBombWarning,  # a warning may be made an error
)  # fmt: skip


def encode_jpeg(image: npt.NDArray[np.uint8], quality: int = 95) -> bytes:
    """Encodes an image as baseline JPEG without chroma subsampling (4:4:4), marked as synthetic.

    The same image gives the same bytes with the same version of libjpeg.

    Args:
        image: uint8 (H, W, 3), RGB.
        quality: 1..100, of libjpeg.

    Raises:
        ValueError: quality is out of range.
        ValueError or TypeError: the image has another shape or dtype.
    """
    if not 1 <= quality <= 100:
        raise ValueError(f"encode_jpeg: quality {quality} is not within 1..100")
    buffer = io.BytesIO()
    _pillow(image).save(
        buffer,
        format="JPEG",
        quality=quality,
        subsampling=0,
        progressive=False,
        optimize=False,
        xmp=XMP_PACKET.encode(),
    )
    return buffer.getvalue()


def encode_png(image: npt.NDArray[np.uint8]) -> bytes:
    """Encodes an image as PNG (compression level 6), marked as synthetic.

    Args:
        image: uint8 (H, W, 3), RGB.

    Raises:
        ValueError or TypeError: the image has another shape or dtype.
    """
    text = PngImagePlugin.PngInfo()
    text.add_itxt(XMP_KEYWORD, XMP_PACKET)
    buffer = io.BytesIO()
    _pillow(image).save(buffer, format="PNG", compress_level=6, optimize=False, pnginfo=text)
    return buffer.getvalue()


def decode_image(data: bytes) -> npt.NDArray[np.uint8]:
    """Decodes a JPEG, PNG or WebP image; grey and palette images become RGB, an alpha channel is left out.

    EXIF orientation is not applied: it sees what a training loader sees.

    Returns:
        uint8 (H, W, 3), RGB.

    Raises:
        ValueError: the data are no such image, are damaged or cut short, or have more than 8 bits a channel or too many
            pixels.
    """
    with _opened(data) as image:
        if image.mode not in _DEPTHS:
            raise ValueError(f"image of mode '{image.mode}': only up to 8 bits a channel can be read")
        try:
            return np.asarray(image.convert("RGB"), dtype=np.uint8)
        except _DECODER_ERRORS as error:
            raise ValueError(f"damaged {image.format} image of {len(data)} bytes: {error}") from error


def image_size(data: bytes) -> tuple[int, int]:
    """Returns height and width of an encoded image, px, from its header.

    Raises:
        ValueError: the data are no image.
    """
    with _opened(data) as image:
        return image.height, image.width


def provenance(data: bytes) -> str | None:
    """Returns the IPTC digital source type of an encoded image, or None where it carries none.

    Raises:
        ValueError: the data are no image.
    """
    with _opened(data) as image:
        packet = image.info.get("xmp", image.info.get(XMP_KEYWORD, b""))
    text = packet.decode("utf-8", errors="replace") if isinstance(packet, bytes) else str(packet)
    match = _SOURCE_TYPE.search(text)
    return match.group(1) if match else None


def _pillow(image: npt.NDArray[np.uint8]) -> Image.Image:
    if image.dtype != np.uint8:
        raise TypeError(f"image: expected uint8, got {image.dtype}")
    if image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ValueError(f"image: expected shape (H, W, 3), got {image.shape}")
    return Image.fromarray(np.ascontiguousarray(image))


def _opened(data: bytes) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(data), formats=_FORMATS)
    except UnidentifiedImageError as error:  # its words are about the object in memory
        raise ValueError(f"{len(data)} bytes that are no JPEG, PNG or WebP image") from error
    except _DECODER_ERRORS as error:
        raise ValueError(f"{len(data)} bytes that are no JPEG, PNG or WebP image: {error}") from error
    refuse_huge(image.height, image.width)
    return image


def refuse_huge(height: int, width: int) -> None:
    """Refuses an image that would need far more memory than its file shows.

    Raises:
        ValueError: it has more than `MAX_PIXELS`.
    """
    if height * width > MAX_PIXELS:
        raise ValueError(f"an image of {width}x{height} px; at most {MAX_PIXELS} px are read")
