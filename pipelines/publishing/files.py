"""The files of a published folder, and how they are told from those on the hub."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

CARD: Final = "README.md"
INDEX: Final = "index.json"
CROISSANT: Final = "croissant.json"
PREVIEW: Final = "preview.jpg"

# Sent last and in one go: what speaks of the shards must not be there before them.
LAST: Final = (PREVIEW, CROISSANT, INDEX, CARD)


@dataclass(frozen=True, kw_only=True)
class PublishedFile:
    """A file on its way to the hub.

    Attributes:
        name: within the repository.
        path: where it is.
        size: bytes.
        sha256: hexadecimal.
    """

    name: str
    path: Path
    size: int
    sha256: str

    @cached_property
    def git_id(self) -> str:
        """Name of its content in git, hexadecimal: SHA-1 over a head and the content."""
        digest = hashlib.sha1(b"blob %d\0" % self.size, usedforsecurity=False)
        with self.path.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
        return digest.hexdigest()


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """A file on the hub.

    Attributes:
        size: bytes.
        git_id: name of its content in git; for large files that of a pointer to it, which says nothing here.
        sha256: of a large file; None for one that git itself holds.
    """

    size: int
    git_id: str
    sha256: str | None

    def is_same(self, file: PublishedFile) -> bool:
        """Returns whether the hub has this very content."""
        if self.size != file.size:
            return False
        return self.sha256 == file.sha256 if self.sha256 is not None else self.git_id == file.git_id


def in_order(files: list[PublishedFile]) -> list[PublishedFile]:
    """Returns files in the order they are sent: shards and tables by name, then what speaks of them."""
    return sorted(files, key=lambda file: (LAST.index(file.name) + 1 if file.name in LAST else 0, file.name))
