"""Tar files of samples: a writer of plain ustar and a memory-mapped reader.

Headers are built and parsed here instead of by `tarfile`: the format is simple, and this is an order of magnitude
faster. The same members give the same bytes: times are zero, owner and mode are fixed.
Format: POSIX.1-1988 ustar, 512-byte headers with octal numbers.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from synth.errors import ShardError
from synth.shards.mapped_file import MappedFile

BLOCK = 512  # bytes; headers and data start on multiples of it
MAX_SIZE = 8**11  # bytes; the size field holds eleven octal digits
_END = bytes(2 * BLOCK)
_LONGEST_END = 1 << 24  # bytes of zeros; writers fill up to 10 KiB, a sparse file may claim more than memory holds
_PAX_LENGTH = 12  # bytes that hold the length of a pax record, which is below 8 GiB

# A ustar header in order: name 100, mode 8, uid 8, gid 8, size 12, mtime 12, checksum 8, type 1, link name 100,
# magic 6, version 2, user 32, group 32, device major 8, device minor 8, prefix 155, padding 12.
_USTAR, _GNU = b"ustar\x0000", b"ustar  \0"  # magic and version
_MODE_AND_OWNER = b"0000644\0" + b"0000000\0" + b"0000000\0"
_TIME = b"00000000000\0"
_REGULAR = b"0" + bytes(100) + _USTAR + bytes(64) + b"0000000\0" + b"0000000\0"
_BLANK_CHECKSUM = 8 * ord(" ")  # the checksum is taken with its own field full of spaces
_FIXED_SUM = sum(_MODE_AND_OWNER) + sum(_TIME) + _BLANK_CHECKSUM + sum(_REGULAR)
_FIELDS = struct.Struct("100s 24x 11sx 12x 8s B 100x 8s 80x B 166x")  # name, size, checksum, type, magic, prefix[0]
_ADLER_BASE = 65521

# Type flags, as byte values.
_REGULAR_TYPES = (ord("0"), 0)
_PAX_NEXT, _PAX_GLOBAL, _GNU_LONG_NAME, _DIRECTORY = ord("x"), ord("g"), ord("L"), ord("5")


class TarWriter:
    """Writes regular files into a new tar file, in the order they are added.

    The end marker is written when the `with` block ends without an exception, so a half-written file is
    recognised as truncated by every reader.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: BinaryIO = path.open("wb", buffering=1 << 20)
        self._position = 0

    def __enter__(self) -> TarWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._file.write(_END)
        self._file.close()

    def add(self, name: str, data: bytes) -> tuple[int, int]:
        """Adds one file.

        Args:
            name: at most 100 bytes of UTF-8, or 255 where a '/' splits it into at most 155 and 100.
            data: its content, less than 8 GiB.

        Returns:
            Offset and size of the data within the tar file, bytes.

        Raises:
            ValueError: the name is empty, holds a NUL or does not fit, or the data is too large.
        """
        size = len(data)
        header = _header(name, size)
        self._file.write(header)
        self._file.write(data)
        self._file.write(bytes(-size % BLOCK))
        offset = self._position + BLOCK
        self._position = offset + size + -size % BLOCK
        return offset, size


class TarReader(MappedFile):
    """Reads a tar file through a memory map.

    Reads what `TarWriter` writes, and the regular files of the GNU and pax tars that `tarfile` and webdataset write.

    Raises:
        ShardError: the file is missing, empty, truncated or damaged, or holds links or other special members; the
            message names file and offset. Damage within the data of a member shows only in the shard's SHA-256.
    """

    content = "a tar file"

    def read(self, offset: int, size: int) -> bytes:
        """Returns the data at an offset that `TarWriter.add` or `members` gave.

        Raises:
            ShardError: the range is not within the file.
        """
        if offset < 0 or size < 0 or offset + size > len(self.map):
            raise ShardError(
                f"{self.path}: bytes {offset} to {offset + size} are outside the file of {len(self.map)} bytes; "
                "it is truncated or belongs to another table"
            )
        return self.map[offset : offset + size]

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        """Yields name and data of each regular file."""
        data = self.map
        for name, offset, size in self.members():
            yield name, data[offset : offset + size]

    def samples(self) -> Iterator[dict[str, Any]]:
        """Yields a dict a sample: `__key__` (str) and the data (bytes) by extension.

        Members belong together as webdataset has it: adjacent, with the same path up to the first dot of the
        base name.

        Raises:
            ShardError: a member has no extension, or a sample has two of the same.
        """
        data = self.map
        sample: dict[str, Any] = {}
        current = ""
        for name, offset, size in self.members():
            base = name.rfind("/") + 1
            dot = name.find(".", base)
            if dot <= base:
                raise ShardError(f"{self.path}: member '{name}' is not named key.extension, it belongs to no sample")
            key, extension = name[:dot], name[dot + 1 :]
            if key != current:
                if sample:
                    yield sample
                current, sample = key, {"__key__": key}
            if extension in sample:
                raise ShardError(f"{self.path}: two members '{name}' in one sample; the key was used twice")
            sample[extension] = data[offset : offset + size]
        if sample:
            yield sample

    def members(self) -> Iterator[tuple[str, int, int]]:
        """Yields name, data offset and data size (bytes) of each regular file, checking every header."""
        data, end = self.map, len(self.map)
        position, renamed = 0, ""
        while True:
            offset = position + BLOCK
            header = data[position:offset]
            try:
                name, size, kind = _parse(header)
            except ValueError as error:
                if header[:1] == b"\0":
                    self._check_end(position)
                    return
                raise ShardError(f"{self.path}: the header at offset {position} {error}") from None
            stop = offset + size
            if stop > end:
                raise ShardError(
                    f"{self.path}: truncated: the member at offset {position} has {size} bytes of data, "
                    f"the file ends after {end - offset}; make the shard again"
                )
            if kind in _REGULAR_TYPES:
                yield renamed or name, offset, size
                renamed = ""
            elif kind in (_PAX_NEXT, _GNU_LONG_NAME):
                renamed = self._long_name(kind, data[offset : offset + size], position) or renamed
            elif kind == _DIRECTORY:
                renamed = ""
            elif kind != _PAX_GLOBAL:
                raise ShardError(
                    f"{self.path}: the member at offset {position} is no regular file (type {chr(kind)!r}); "
                    "links and special files are not read"
                )
            position = stop + -size % BLOCK

    def _check_end(self, position: int) -> None:
        """Checks that nothing but the end marker, two or more zero blocks, follows."""
        size = len(self.map) - position
        if size > _LONGEST_END:
            raise ShardError(
                f"{self.path}: {size} bytes from the end marker at offset {position} on, a tar file ends there; "
                "it is damaged or made to harm"
            )
        if self.map[position:].count(0) != size:
            raise ShardError(f"{self.path}: data behind the end marker at offset {position}; the file is damaged")
        if size < len(_END):
            raise ShardError(f"{self.path}: truncated: the end marker at offset {position} is cut off")

    def _long_name(self, kind: int, data: bytes, position: int) -> str:
        """Returns the name that a GNU or pax header gives to the next member; empty if it gives none."""
        name = data.rstrip(b"\0") if kind == _GNU_LONG_NAME else self._pax_name(data, position)
        try:
            return name.decode()
        except UnicodeDecodeError:
            raise ShardError(f"{self.path}: the name at offset {position} is no UTF-8: {name[:60]!r}") from None

    def _pax_name(self, data: bytes, position: int) -> bytes:
        """Returns the path of a pax header, whose records are 'length keyword=value', empty where it has none."""
        name, start = b"", 0
        while start < len(data):
            length, _, _ = data[start : start + _PAX_LENGTH].partition(b" ")
            if not length.isdigit() or not len(length) < int(length) <= len(data) - start:
                raise ShardError(f"{self.path}: the pax header at offset {position} is damaged")
            keyword, _, value = data[start + len(length) + 1 : start + int(length) - 1].partition(b"=")
            if keyword == b"path":
                name = value
            elif keyword == b"size":
                raise ShardError(f"{self.path}: the member at offset {position} has 8 GiB or more; not supported")
            start += int(length)
        return name


def _header(name: str, size: int) -> bytes:
    """Returns the header block of a regular file."""
    if size >= MAX_SIZE:
        raise ValueError(f"tar member '{name}': {size} bytes, a member must stay below 8 GiB")
    field, prefix = _split(name)
    size_field = b"%011o\0" % size
    checksum = _FIXED_SUM + sum(field) + sum(size_field) + sum(prefix)
    return b"%b%b%b%b%06o\0 %b%b" % (
        field.ljust(100, b"\0"),
        _MODE_AND_OWNER,
        size_field,
        _TIME,
        checksum,
        _REGULAR,
        prefix.ljust(167, b"\0"),
    )


def _split(name: str) -> tuple[bytes, bytes]:
    """Returns the header's name and prefix fields: the name, split at a '/' where it needs more than 100 bytes."""
    encoded = name.encode()
    if not encoded or b"\0" in encoded:
        raise ValueError(f"tar member {name!r}: a name must not be empty or hold a NUL")
    if len(encoded) <= 100:
        return encoded, b""
    slash = encoded.find(b"/", len(encoded) - 101)
    if slash == -1 or not 0 < slash <= 155 or slash == len(encoded) - 1:
        raise ValueError(
            f"tar member '{name}': {len(encoded)} bytes; a name may have 100, or 155 before a '/' and 100 behind it"
        )
    return encoded[slash + 1 :], encoded[:slash]


def _parse(header: bytes) -> tuple[str, int, int]:
    """Checks a header block; returns the member's name, the size of its data in bytes and its type flag.

    Raises:
        ValueError: it is damaged; the message says how.
    """
    if len(header) < BLOCK:
        raise ValueError("is cut off: the file is truncated, it has no end marker; make the shard again")
    name, size_field, checksum_field, kind, magic, has_prefix = _FIELDS.unpack(header)
    if magic != _USTAR and magic != _GNU:
        raise ValueError("is not ustar; the file is damaged or no tar file of samples")
    if zlib.adler32(header) & 0xFFFF != _adler_half(checksum_field):
        raise ValueError("has a wrong checksum: it is damaged; make the shard again")
    try:
        size = int(size_field, 8)
    except ValueError:
        raise ValueError("has no octal size: the member has 8 GiB or more, which is not supported") from None
    if size < 0:
        raise ValueError("has a negative size; it is damaged")
    name = name.rstrip(b"\0")
    if has_prefix and magic == _USTAR:  # GNU headers keep other things at the prefix's place
        name = header[345:500].rstrip(b"\0") + b"/" + name
    try:
        return name.decode(), size, kind
    except UnicodeDecodeError:
        raise ValueError(f"has a name that is no UTF-8: {name[:60]!r}") from None


@cache
def _adler_half(checksum_field: bytes) -> int:
    """Returns what the low half of the Adler-32 of a header must be, given its eight checksum bytes.

    That half is one plus the sum of all bytes modulo 65521, so comparing it checks the header at memory speed and
    misses no change of a single byte. Checksums are small numbers: the cache stays small and saves most of the work.
    Returns -1, which no header has, where the field is not octal.
    """
    try:
        checksum = int(checksum_field[:6], 8)
    except ValueError:
        return -1
    return (1 + checksum - _BLANK_CHECKSUM + sum(checksum_field)) % _ADLER_BASE
