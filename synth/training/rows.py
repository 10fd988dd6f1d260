"""Decodes samples of a dataset by row; what cannot be decoded is named by its tar and offset."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from synth.errors import ShardError
from synth.shards.dataset import DatasetReader
from synth.training.decoding import decode_into, size_of
from synth.types import Images


def row_size(reader: DatasetReader, row: int) -> tuple[int, int]:
    """Returns height and width of a row's image, px.

    Raises:
        ShardError: it is no image.
    """
    with _naming(reader, row):
        return size_of(reader.image(row))


def decode_row(reader: DatasetReader, row: int, out: npt.NDArray[np.uint8]) -> None:
    """Decodes a row's image into `out`, uint8 (H, W, 3), contiguous, RGB.

    Raises:
        ShardError: the image is damaged or of another size.
    """
    with _naming(reader, row):
        decode_into(reader.image(row), out)


def decode_rows(reader: DatasetReader, rows: npt.NDArray[np.int64]) -> Images:
    """Returns the images of rows, uint8 (B, H, W, 3) RGB, all of the first one's size; errors as `decode_row`."""
    images = np.empty((len(rows), *row_size(reader, int(rows[0])), 3), dtype=np.uint8)
    for image, row in zip(images, rows.tolist(), strict=True):
        decode_row(reader, row, image)
    return images


@contextmanager
def _naming(reader: DatasetReader, row: int) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise ShardError(f"{reader.name(row)}: {error}; make the dataset again") from error
