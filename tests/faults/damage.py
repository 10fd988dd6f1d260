"""Ways to damage the files of a finished run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DEEP = 100_000 * "["
GARBAGE = (b"", b"\xff\xfe\x00garbage", DEEP.encode(), b"[]", b"null", b"1", b'"x"', b"{}", b'{"a": NaN}')
WRONG_VALUES = (None, [], "x", float("nan"), 10**30, -1, {})


def flip(path: Path, bit: int) -> None:
    """Flips a bit of a file, counted from its start and around its end."""
    data = bytearray(path.read_bytes())
    bit %= 8 * len(data)
    data[bit // 8] ^= 1 << bit % 8
    rewrite(path, bytes(data))


def tear(path: Path, share: float) -> None:
    """Leaves the first part of a file."""
    data = path.read_bytes()
    rewrite(path, data[: int(share * len(data))])


def rewrite(path: Path, data: bytes) -> None:
    """Writes another content; files of a dataset share theirs with the shards, so they are not written into."""
    path.unlink()
    path.write_bytes(data)


def wrong_contents(text: str) -> Iterator[tuple[str, str]]:
    """Yields what a JSON text becomes when a value of it is another or is missing, with the value's place."""
    content = json.loads(text)
    for place in _places(content, ()):
        for value in WRONG_VALUES:
            yield f"{'.'.join(map(str, place))}={value!r:.10}", json.dumps(_with(content, place, value))


def _places(content: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if isinstance(content, dict):
        for key, inner in content.items():
            yield (*path, key)
            yield from _places(inner, (*path, key))
    elif isinstance(content, list) and content:
        yield (*path, 0)


def _with(content: Any, place: tuple[str | int, ...], value: object) -> Any:
    copied = json.loads(json.dumps(content))
    inner = copied
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return copied
