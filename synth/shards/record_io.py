"""RecordIO files, the container that most trainers of face recognisers read: a writer and a memory-mapped reader.

Format, as dmlc-core and MXNet define it, little endian: a file is a sequence of records, each at an offset that is a
multiple of four. A record is one part, or several where its payload holds the magic number at such an offset: the
writer cuts there and leaves the four bytes out, the reader puts them back. A part is the magic number, a word of
three bits of kind and 29 bits of length, the data, and zeros up to a multiple of four.
`image_records.py` knows what the payloads hold.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from synth.errors import ShardError
from synth.shards.mapped_file import MappedFile

MAGIC = struct.pack("<I", 0xCED7230A)
MAX_SIZE = 1 << 29  # bytes; a part's length has 29 bits

_WHOLE, _FIRST, _MIDDLE, _LAST = range(4)  # kinds of parts
PART = struct.Struct("<4sI")  # magic; kind and length
_MAGIC_ANYWHERE = re.compile(re.escape(MAGIC))


class RecordWriter:
    """Writes records into a new file, in the order they are added. The format has no end marker."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = path.open("wb", buffering=1 << 20)
        self._position = 0

    def __enter__(self) -> RecordWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, payload: bytes) -> int:
        """Adds one record; returns its offset in the file, bytes.

        Raises:
            ValueError: the payload has 512 MiB or more.
        """
        return self.add_encoded(encode_record(payload))

    def add_encoded(self, record: bytes) -> int:
        """Adds a record as `encode_record` and `RecordReader.encoded` return it; returns its offset, bytes."""
        offset = self._position
        self._file.write(record)
        self._position = offset + len(record)
        return offset


class RecordReader(MappedFile):
    """Reads a RecordIO file through a memory map.

    Raises:
        ShardError: the file is missing, empty, truncated or damaged; the message names file and offset. Damage within
            the data of a record shows only in a SHA-256 of the file.
    """

    content = "a RecordIO file"

    def spans(self) -> Iterator[tuple[int, int]]:
        """Yields first and last offset (the latter not part of it) of each record, checking every part."""
        start = 0
        while start < len(self.map):
            stop = self._parts(start)[-1][1]
            stop += -stop % 4
            yield start, stop
            start = stop

    def read(self, start: int) -> bytes:
        """Returns the payload of the record at an offset that `RecordWriter.add` or `spans` gave.

        Raises:
            ShardError: no whole record is there.
        """
        return MAGIC.join([self.map[begin:end] for begin, end in self._parts(start)])

    def encoded(self, start: int, stop: int) -> bytes:
        """Returns the bytes of a record of `spans` as they are in the file."""
        return self.map[start:stop]

    def _parts(self, start: int) -> list[tuple[int, int]]:
        """Returns where the data of each part of a record begins and ends."""
        kind, begin, end = self._part(start)
        parts = [(begin, end)]
        if kind in (_MIDDLE, _LAST):
            raise self._damage(start, "a part of a record without its beginning")
        while kind in (_FIRST, _MIDDLE):
            place = end + -end % 4
            kind, begin, end = self._part(place)
            if kind in (_WHOLE, _FIRST):
                raise self._damage(place, f"another record before the end of the one at offset {start}")
            parts.append((begin, end))
        stop = end + -end % 4
        if self.map[end:stop].strip(b"\0"):
            raise self._damage(end, "data where zeros are to fill up the record")
        if stop < len(self.map) and self.map[stop : stop + 4] != MAGIC:
            raise self._damage(stop, f"no record behind the one at offset {start}")
        return parts

    def _part(self, start: int) -> tuple[int, int, int]:
        """Returns kind of the part at an offset, and where its data begin and end."""
        size = len(self.map)
        begin = start + PART.size
        if start < 0 or start % 4 or begin > size:
            raise self._damage(start, f"no place for a record in a file of {size} bytes; it is truncated")
        magic, word = PART.unpack_from(self.map, start)
        if magic != MAGIC:
            raise self._damage(start, f"expected the magic number {MAGIC.hex()}, got {magic.hex()}")
        kind, end = word >> 29, begin + (word & MAX_SIZE - 1)
        if kind > _LAST:
            raise self._damage(start, f"a part of unknown kind {kind}")
        if end + -end % 4 > size:
            raise self._damage(start, f"truncated: data up to {end + -end % 4} in a file of {size} bytes")
        return kind, begin, end

    def _damage(self, offset: int, what: str) -> ShardError:
        return ShardError(f"{self.path}: at offset {offset}: {what}; the file is damaged, make it again")


def encode_record(payload: bytes) -> bytes:
    """Returns a record with the given payload.

    Raises:
        ValueError: the payload has 512 MiB or more.
    """
    size = len(payload)
    if size >= MAX_SIZE:
        raise ValueError(f"a payload of {size} bytes; a record must stay below 512 MiB")
    padding = bytes(-size % 4)
    cuts = _cuts(payload)
    if not cuts:
        return b"".join((PART.pack(MAGIC, size), payload, padding))
    edges = [-4, *cuts, size]  # each part starts behind the magic number that it was cut at
    pieces = []
    for number, (cut, end) in enumerate(pairwise(edges)):
        kind = _FIRST if number == 0 else _LAST if number == len(cuts) else _MIDDLE
        data = payload[cut + 4 : end]
        pieces += [PART.pack(MAGIC, kind << 29 | len(data)), data]
    return b"".join([*pieces, padding])


def _cuts(payload: bytes) -> list[int]:
    """Returns where a payload holds the magic number at an offset that is a multiple of four."""
    # A regular expression finds it faster than `bytes.find`; the number does not overlap itself, so it finds all.
    return [found.start() for found in _MAGIC_ANYWHERE.finditer(payload) if found.start() % 4 == 0]


def index_line(key: int, offset: int) -> bytes:
    """Returns the line of an index file that says where a record starts."""
    return b"%d\t%d\n" % (key, offset)
