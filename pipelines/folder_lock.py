"""Holds a folder for one process that writes, or for many that read."""

from __future__ import annotations

import fcntl
import os
import re
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
        try:
            yield
        finally:
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


def lock_holder(folder: Path, name: str) -> tuple[str, float] | None:
    """Returns who holds a folder, like 'process 12 on host', and since when, seconds since 1970; takes no lock.

    A process that died on another machine still counts: only its own kernel knows. None: nobody holds it.
    """
    try:
        named = (folder / name).read_text().strip()
        since = (folder / name).stat().st_mtime
    except FileNotFoundError:
        return None
    return None if not named or _died_here(named) else (named, since)


def _take(descriptor: int, kind: int, folder: Path) -> None:
    """Locks an open lock file, or says who holds it."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RunLockedError(
            f"{folder}: {_holder(descriptor)} works on it; wait until it ends, or end it and run again"
        ) from None


def _holder(descriptor: int) -> str:
    """Names who holds a folder. Readers do not write their names, and a killed process does not take its own away."""
    named = os.read(descriptor, 200).decode(errors="replace").strip()
    return "another process" if not named or _died_here(named) else named


def _died_here(named: str) -> bool:
    """Returns whether a process of this machine, by what it wrote into a lock file, is no more."""
    found = re.fullmatch(rf"process (\d+) on {re.escape(socket.gethostname())}", named)
    return found is not None and not _is_alive(int(found[1]))


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True
