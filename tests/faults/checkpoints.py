"""Weight files and evaluation files that harm."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import zipfile
from pathlib import Path


class RunsACommand:
    """Pickles as a call of `os.system`, which makes a file whose presence tells."""

    def __init__(self, proof: Path) -> None:
        self._proof = proof

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch '{self._proof}'",)


def hostile_checkpoints(proof: Path) -> dict[str, bytes]:
    """Returns contents of checkpoints by file name; those that run code make the file `proof`."""
    code = pickle.dumps({"state_dict": RunsACommand(proof)})
    return {
        "code.pth": code,
        "zipped_code.pt": _zipped(code),
        "long.bin": b"\x80\x04\x8e" + b"\xff" * 8,
        "deep.pth": b"\x80\x02" + 100_000 * b"]" + 99_999 * b"a" + b".",
        "endless_header.safetensors": struct.pack("<Q", 2**63) + b"{}",
        "cut.safetensors": _safetensors("F32", [4, 4], 4),
        "petabytes.safetensors": _safetensors("F32", [10**9, 10**6], 4),
        "unknown.safetensors": _safetensors("F99", [1], 4),
        "deep.safetensors": struct.pack("<Q", 50_000) + 50_000 * b"[",
    }


def hostile_evaluation_sets(proof: Path) -> dict[str, bytes]:
    """Returns contents of `.bin` files by name; those that run code make the file `proof`."""
    return {
        "code.bin": pickle.dumps((RunsACommand(proof), [True])),
        "deep.bin": b"\x80\x02]" + b"]" + 100_000 * b"]" + 100_000 * b"a" + b"\x86.",
        "deep_answer.bin": b"\x80\x02](C\x01aC\x01ae](" + 100_000 * b"]" + 99_999 * b"a" + b"e\x86.",
        "long.bin": b"\x80\x04\x8e" + b"\xff" * 8,
        "text.bin": b"<!DOCTYPE html>",
        "nothing.bin": b"",
        "no_pairs.bin": pickle.dumps(([], [])),
    }


def _zipped(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", data)
        archive.writestr("archive/version", "3\n")
    return buffer.getvalue()


def _safetensors(dtype: str, shape: list[int], size: int) -> bytes:
    header = json.dumps({"a": {"dtype": dtype, "shape": shape, "data_offsets": [0, size]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(size)
