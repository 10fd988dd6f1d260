"""Tells whole files from broken downloads, by their first and last bytes."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import BinaryIO, Final

from synth.plain_json import read_plain_json

_ZIP: Final = b"PK\x03\x04"
_LFS_POINTER: Final = b"version https://git-lfs.github.com/spec/"
_PAGES: Final = (b"<!doctype", b"<html")
_LONGEST_HEADER: Final = 100_000_000  # bytes; safetensors' own limit


# Of protobuf: kinds of parts, and the number of a model's graph in ONNX.
_VARINT: Final = 0
_LENGTH: Final = 2
_FIXED_SIZES: Final = {1: 8, 5: 4}  # bytes
_GRAPH: Final = 7


def broken_download(path: Path) -> str | None:
    """Returns what is wrong with a file as far as its ends tell; None: nothing that shows there.

    What `torch.save` writes is a zip file, whose table of contents comes last; a .safetensors file says in its header
    how long it is, and each part of an .onnx file how long that is. Other kinds are looked at for what is often stored
    in a file's place only.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(64)
    if not start:
        return "is empty"
    if start.startswith(_LFS_POINTER):
        return "is a Git LFS pointer, not the file it points to"
    if start.lower().startswith(_PAGES):
        return "is a web page, not the file that was asked for"
    if start.startswith(_ZIP) and not zipfile.is_zipfile(path):
        return "is cut short"
    if path.suffix == ".safetensors" and path.stat().st_size != _safetensors_size(path):
        return "is not as long as its header says"
    if path.suffix == ".onnx" and not _is_whole_onnx(path):
        return "is no ONNX model or only a part of one"
    return None


def _is_whole_onnx(path: Path) -> bool:
    """Returns whether the parts of a protobuf message fill the file, a graph among them; reads only their heads."""
    size, numbers = path.stat().st_size, set[int]()
    with path.open("rb") as file:
        while file.tell() < size:
            key = _varint(file)
            numbers.add(key >> 3)
            kind = key & 7
            if kind == _VARINT:
                _varint(file)
                continue
            length = _varint(file) if kind == _LENGTH else _FIXED_SIZES.get(kind)
            if length is None or length > size - file.tell():
                return False
            file.seek(length, os.SEEK_CUR)
    return _GRAPH in numbers


def _varint(file: BinaryIO) -> int:
    """Reads an integer of 7 bits a byte, lowest first; a byte below 128 is the last, as is the end of the file."""
    value = shift = 0
    while (byte := file.read(1)) and shift < 64:
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            break
        shift += 7
    return value


def _safetensors_size(path: Path) -> int | None:
    """Returns how long a .safetensors file is by its header; None where the header itself is no header."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = file.read(length) if length <= _LONGEST_HEADER else b""
    try:
        entries = read_plain_json(header)
        ends = [entry["data_offsets"][1] for name, entry in entries.items() if name != "__metadata__"]
        return 8 + length + max(ends, default=0)
    except (ValueError, AttributeError, KeyError, IndexError, TypeError):
        return None
