"""Hashes of the large files that a configuration names, remembered so that a run does not read them at each start."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Final

from synth.digests import sha256_of
from synth.plain_json import read_plain_json
from synth.shards.commit import replace_file

_SETTLED_SECONDS: Final = 2.0  # a file changed a moment ago may change again within the same tick of its clock


class FileHashes:
    """SHA-256 of files; a file is read again when its size, inode or one of its times of change is another one.

    Args:
        path: JSON file that remembers them, made by `save`; None remembers nothing. One that cannot be read counts as
            missing, since all in it follows from the files.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._known: dict[str, list[int | str]] = {}
        self._changed = False
        if path is not None and path.is_file():
            try:
                stored = read_plain_json(path.read_text())
                self._known = {str(name): list(entry) for name, entry in stored.items()}
            except (ValueError, AttributeError, TypeError):
                self._changed = True

    def of(self, path: Path) -> str:
        """Returns the SHA-256 of a file, hexadecimal."""
        status = path.stat()
        state: list[int | str] = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
        name = str(path.resolve())
        known = self._known.get(name)
        if known is not None and known[:-1] == state:
            return str(known[-1])
        digest = sha256_of(path)
        if time.time() - status.st_mtime > _SETTLED_SECONDS:
            self._known[name] = [*state, digest]
            self._changed = True
        return digest

    def save(self) -> None:
        """Writes what is remembered, if that is more than the file says."""
        if self._path is not None and self._changed:
            replace_file(self._path, (json.dumps(self._known, indent=1, sort_keys=True) + "\n").encode())
            self._changed = False
