"""What the records of a RecordIO file of images hold: labels, a key and an encoded image.

A payload is a header of 24 bytes, little endian (MXNet's IRHeader), labels if the header says so, and the image.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from synth.errors import ShardError
from synth.shards.record_io import PART

MAX_EXACT_LABEL = 1 << 24  # labels are float32, which holds all integers up to here

_HEADER = struct.Struct("<IfQQ")  # number of labels (0: the one that follows), label, key, second key
_KEY = struct.Struct("<Q")
_KEY_START = PART.size + 8  # of the key within a record
_KEY_STOP = _KEY_START + _KEY.size


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """The payload of a record.

    Attributes:
        labels: one for an image; first and last key for the header records of InsightFace.
        has_list: whether the labels stand in a list of their own ('flag' > 0) and not in the header.
        key: number of the record.
        second_key: zero in most cases.
        image: encoded; empty in header records.
    """

    labels: tuple[float, ...]
    has_list: bool
    key: int
    second_key: int
    image: bytes


def pack_image(label: int, key: int, image: bytes) -> bytes:
    """Returns the payload of an image record.

    Args:
        label: 0..2^24, as float32 holds no larger integers exactly.
        key: number of the record.
        image: encoded.

    Raises:
        ValueError: the label is out of range.
    """
    if not 0 <= label <= MAX_EXACT_LABEL:
        raise ValueError(
            f"label {label}: expected 0..{MAX_EXACT_LABEL}: RecordIO keeps labels as float32, "
            "which would round it to another one; export fewer identities or another format"
        )
    return _HEADER.pack(0, label, key, 0) + image


def pack_labels(labels: Sequence[int], key: int, second_key: int = 0) -> bytes:
    """Returns the payload of a record of labels without an image, as InsightFace's header records are.

    Raises:
        ValueError: a label is out of range.
    """
    if not all(0 <= label <= MAX_EXACT_LABEL for label in labels):
        raise ValueError(f"labels {list(labels)}: expected 0..{MAX_EXACT_LABEL}, the integers that float32 holds")
    return _HEADER.pack(len(labels), 0, key, second_key) + struct.pack(f"<{len(labels)}f", *labels)


def with_key(record: bytes, key: int) -> bytes:
    """Returns an encoded image record with another key. It lies in the first part, as no header holds the magic."""
    return b"".join((record[:_KEY_START], _KEY.pack(key), record[_KEY_STOP:]))


def unpack(payload: bytes) -> ImageRecord:
    """Returns what the payload of a record holds.

    Raises:
        ShardError: it is too short for its header or its labels.
    """
    count = _HEADER.unpack_from(payload)[0] if len(payload) >= _HEADER.size else 0
    stop = _HEADER.size + 4 * count
    if len(payload) < stop:
        raise ShardError(f"a record of {len(payload)} bytes, its header and labels take {stop}; the file is damaged")
    _, label, key, second_key = _HEADER.unpack_from(payload)
    labels = struct.unpack_from(f"<{count}f", payload, _HEADER.size) if count else (label,)
    return ImageRecord(labels, count > 0, key, second_key, payload[stop:])
