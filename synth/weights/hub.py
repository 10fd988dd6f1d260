"""Fetches published weight files from the Hugging Face hub."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from synth.digests import sha256_of
from synth.errors import WeightsError
from synth.extras import require_extra
from synth.weights.files import WeightFile


def fetch(file: WeightFile) -> None:
    """Downloads a file to its path; what is there already stays.

    It is fetched into a hidden folder beside the path and renamed when it is whole. Of several processes that want
    it one fetches it and the others wait.

    Args:
        file: with a `repo`.

    Raises:
        ComponentError: huggingface_hub is not installed.
        WeightsError: the hub cannot be reached, does not have it or does not give it without a login, or what came is
            not what was published; with the way to get it by hand.
    """
    require_extra("diffusion", "huggingface_hub")
    file.path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(file.path.with_name(f".{file.path.name}.lock")):
        folder = file.path.with_name(f".{file.path.name}.download")
        folder.mkdir(exist_ok=True)
        try:
            if not file.is_present:
                _download(file, folder).rename(file.path)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _download(file: WeightFile, folder: Path) -> Path:
    """Returns where in the folder the whole file is; raises as `fetch`."""
    from huggingface_hub import errors, hf_hub_download

    repo, name, by_hand = file.repo, file.name, f"get it from {file.origin} and put it there"
    assert repo is not None
    try:
        fetched = Path(hf_hub_download(repo, name, local_dir=folder))
    except errors.GatedRepoError as error:
        reason = f"{repo} gives it to those only who agreed to its terms: agree on its page and run `hf auth login`"
        raise WeightsError(f"{file.path}: {reason}, or {by_hand}") from error
    except errors.RepositoryNotFoundError as error:
        raise WeightsError(f"{file.path}: the hub has no {repo} for this login; {by_hand}") from error
    except errors.LocalEntryNotFoundError as error:
        raise WeightsError(f"{file.path}: the hub cannot be reached; {by_hand}") from error
    except (errors.EntryNotFoundError, errors.RevisionNotFoundError) as error:
        raise WeightsError(f"{file.path}: {repo} has no {name}; {by_hand}") from error
    except (errors.HTTPError, OSError, RuntimeError) as error:  # type: ignore[attr-defined]  # httpx's own
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise WeightsError(f"{file.path}: cannot be fetched from {repo} ({reason}); {by_hand}") from error
    if file.sha256 is not None and (found := sha256_of(fetched)) != file.sha256:
        raise WeightsError(
            f"{file.path}: {repo} now has another {name}, SHA-256 {found} instead of {file.sha256}; it was not put "
            f"there, {by_hand}"
        )
    return fetched


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Waits until no other process is in the block with the same lock file; the file is removed at the end."""
    descriptor = _locked(lock)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)  # while it is held: nobody else can be in the block by this file
        os.close(descriptor)


def _locked(lock: Path) -> int:
    """Returns a descriptor that holds the lock file, which is made if it is missing.

    Whoever waited may have waited for a file that its holder removed; it keeps nobody out any more.
    """
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _is_open_at(descriptor, lock):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_open_at(descriptor: int, path: Path) -> bool:
    """Returns whether the open file is the one that the path leads to now."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
