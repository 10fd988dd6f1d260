"""Commits a directory: the only code that makes the result of a task visible."""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from synth.errors import RunError

_NEW, _OLD = ".new", ".old"  # end the names of folders beside the one that is replaced
UNFINISHED = ".tmp"  # ends the name of a file that a crash may leave beside the one it was to replace


@contextmanager
def commit_directory(final: Path, scratch: Path) -> Iterator[Path]:
    """Yields an empty directory to fill, and renames it to `final` when the `with` block ends.

    Its files reach the disk before the rename, so `final` is whole whenever it exists: after a crash, too. Of
    several attempts the first to commit wins, and the late twin is removed. If the block raises, its directory is
    removed and nothing becomes visible.

    Args:
        final: the directory to make.
        scratch: folder for unfinished attempts, on the same file system; made if it is missing.

    Raises:
        RunError: scratch and final are on different file systems, or `final` is a file.
        ValueError: the block wrote nothing.
    """
    attempt = scratch / f"{final.parent.name}.{final.name}.{uuid.uuid4().hex}"
    attempt.mkdir(parents=True)
    try:
        yield attempt
        if not any(attempt.iterdir()):
            raise ValueError(f"{final}: nothing was written, an empty shard cannot be committed")
        flush_tree(attempt)
        final.parent.mkdir(parents=True, exist_ok=True)
        if _rename_to_new(attempt, final):
            flush(final.parent)
    finally:
        shutil.rmtree(attempt, ignore_errors=True)


def replace_file(path: Path, data: bytes) -> None:
    """Writes a derived file so that a reader finds the old one or the new one, never a part."""
    temporary = path.with_name(path.name + UNFINISHED)
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def flush_tree(folder: Path) -> None:
    """Waits until all files and folders below a folder, and itself, are on disk."""
    for path in folder.rglob("*"):
        flush(path)
    flush(folder)


def flush(path: Path) -> None:
    """Waits until a file's content or a folder's entries are on disk (fsync)."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _rename_to_new(attempt: Path, final: Path) -> bool:
    """Renames a directory unless the target exists; returns whether it did."""
    try:
        attempt.rename(final)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            return False
        raise RunError(
            f"{final}: cannot be committed ({error.strerror}); scratch and run must be on one file system, "
            "and the target must not be a file"
        ) from error
    return True


@contextmanager
def replace_directory(final: Path) -> Iterator[Path]:
    """Yields an empty directory to fill, beside `final`, and puts it in its place when the `with` block ends.

    For derived folders that one process makes, again and again. If the block raises, `final` stays as it was. A crash
    between the two renames leaves no `final`, never half of one: `restore_directory` brings the old one back, as the
    next call does, which also removes what a crash left over.
    """
    restore_directory(final)
    fresh, stale = _beside(final)
    for left_over in (fresh, stale):
        shutil.rmtree(left_over, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        yield fresh
        flush_tree(fresh)
        if final.exists():
            final.rename(stale)
        fresh.rename(final)
        flush(final.parent)
    finally:
        restore_directory(final)
        for left_over in (fresh, stale):
            shutil.rmtree(left_over, ignore_errors=True)


def restore_directory(final: Path) -> None:
    """Brings back the folder that `replace_directory` had moved away when it was stopped before the new one came."""
    _, stale = _beside(final)
    if not final.exists():
        with suppress(FileNotFoundError):  # there is none, or another process was faster
            stale.rename(final)


def restore_directories(folder: Path) -> None:
    """Undoes in a folder what calls of `replace_directory` left half done when they were stopped."""
    for stale in folder.glob(f".*{_OLD}"):
        final = stale.with_name(stale.name.removeprefix(".").removesuffix(_OLD))
        restore_directory(final)
        shutil.rmtree(stale, ignore_errors=True)
    for fresh in folder.glob(f".*{_NEW}"):
        shutil.rmtree(fresh, ignore_errors=True)


def _beside(final: Path) -> tuple[Path, Path]:
    """Returns where a folder is filled, and where the one that it replaces waits."""
    return final.with_name(f".{final.name}{_NEW}"), final.with_name(f".{final.name}{_OLD}")
