"""Tells whole files from broken downloads, by their first and last bytes."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Final

_ZIP: Final = b"PK\x03\x04"
_LFS_POINTER: Final = b"version https://git-lfs.github.com/spec/"
_PAGES: Final = (b"<!doctype", b"<html")
_LONGEST_HEADER: Final = 100_000_000  # bytes; safetensors' own limit


def broken_download(path: Path) -> str | None:
    """Returns what is wrong with a file as far as its ends tell; None: nothing that shows there.

    What `torch.save` writes is a zip file, whose table of contents comes last; a .safetensors file says in its header
    how long it is. Other kinds are looked at for what is often stored in a file's place only.

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
    return None


def _safetensors_size(path: Path) -> int | None:
    """Returns how long a .safetensors file is by its header; None where the header itself is no header."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = file.read(length) if length <= _LONGEST_HEADER else b""
    try:
        entries = json.loads(header)
        ends = [entry["data_offsets"][1] for name, entry in entries.items() if name != "__metadata__"]
        return 8 + length + max(ends, default=0)
    except (ValueError, AttributeError, KeyError, IndexError, TypeError):
        return None
