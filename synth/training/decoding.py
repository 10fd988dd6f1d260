"""Decodes images straight into the batch they belong to."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import simplejpeg

from synth.images import decode_image, refuse_huge

_JPEG = b"\xff\xd8"


def size_of(data: bytes) -> tuple[int, int]:
    """Returns height and width of an encoded image, px.

    Raises:
        ValueError: the data are no image, or one of too many pixels.
    """
    if data[:2] == _JPEG:
        height, width, _, _ = simplejpeg.decode_jpeg_header(data)
        refuse_huge(height, width)
        return int(height), int(width)
    height, width, _ = decode_image(data).shape
    return height, width


def decode_into(data: bytes, out: npt.NDArray[np.uint8]) -> None:
    """Decodes a JPEG, PNG or WebP image into a row of a batch, with the pixels that Pillow gives.

    Args:
        data: encoded image.
        out: uint8 (H, W, 3), contiguous; becomes RGB.

    Raises:
        ValueError: the data are damaged, no image, or of another size than `out`.
    """
    if data[:2] == _JPEG:
        shape = simplejpeg.decode_jpeg(data, "RGB", buffer=out).shape
        if shape != out.shape:
            raise ValueError(_other_size(shape, out.shape))
        return
    image = decode_image(data)
    if image.shape != out.shape:
        raise ValueError(_other_size(image.shape, out.shape))
    out[:] = image


def _other_size(found: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    return f"an image of {found[1]}x{found[0]} px among images of {wanted[1]}x{wanted[0]} px"
