"""Holds a folder for one process that writes, or for many that read."""

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
        RunLockedError: another process holds or reads it.
    """
    descriptor = os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _take(descriptor, fcntl.LOCK_EX, folder)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        yield
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


@contextmanager
def shared_folder_lock(folder: Path, name: str) -> Iterator[None]:
    """Keeps those who write off a folder while somebody reads it, and changes nothing in it; many may read at once.

    Raises:
        RunLockedError: another process holds it.
    """
    try:
        descriptor = os.open(folder / name, os.O_RDONLY)
    except FileNotFoundError:  # a copy that nobody ever worked on
        yield
        return
    try:
        _take(descriptor, fcntl.LOCK_SH, folder)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, kind: int, folder: Path) -> None:
    """Locks an open lock file, or says who holds it."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 200).decode(errors="replace").strip() or "another process"
        raise RunLockedError(f"{folder}: {holder} works on it; wait until it ends, or end it and run again") from None
