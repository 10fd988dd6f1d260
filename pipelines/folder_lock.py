"""Holds a folder for one process."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from synth.errors import RunLockedError


@contextmanager
def folder_lock(folder: Path, name: str) -> Iterator[None]:
    """Holds an existing folder; the kernel frees it if the process dies.

    Args:
        folder: to hold.
        name: of the lock file in it, which says who holds it.

    Raises:
        RunLockedError: another process holds it.
    """
    descriptor = os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 200).decode(errors="replace").strip() or "another process"
            raise RunLockedError(
                f"{folder}: {holder} works on it; wait until it ends, or end it and run again"
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)
