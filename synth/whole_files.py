"""Writes a file whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """Yields a path beside the target to write to, and renames it to the target when the `with` block ends.

    Its content reaches the disk before the rename. If the block raises, a target that was there stays as it was.

    Raises:
        OSError: it cannot be written; naming the target, as the path beside it says nothing to the user.
    """
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        yield unfinished
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.replace(target)
    except OSError as error:
        if str(error.filename) == str(unfinished):
            error.filename, error.filename2 = str(target), None
        raise
    finally:
        unfinished.unlink(missing_ok=True)
