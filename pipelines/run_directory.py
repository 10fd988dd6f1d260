"""The run directory: where everything is, what is committed, and who works on it."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.fingerprint import ROUNDS, STAGES, Fingerprint, in_later_round
from pipelines.folder_lock import folder_lock, lock_holder, shared_folder_lock
from pipelines.plan import round_of
from synth.errors import DISK_FULL, DiskFullError, RunError, ShardError
from synth.plain_json import read_plain_json
from synth.shards.commit import UNFINISHED, replace_file, restore_directories
from synth.shards.manifest import RECORD_NAME, ShardRecord, Task

FINGERPRINT_NAME = "fingerprint.json"
MEASURE_BEFORE = "measure.before"  # a former `measure` while one with other filters is made from it
_LOCK = "run.lock"
_OWN_FOLDERS = (*STAGES, ROUNDS, "scratch", "dataset", "report", "audit", "failed")  # which a run replaces and removes


@dataclass(frozen=True, slots=True)
class ShardDigests:
    """Fingerprints of a stage's shards.

    Attributes:
        stage: digest of the stage, what shards of the first round have.
        rounds: digest of what decides who gets candidates in later rounds.
    """

    stage: str
    rounds: str

    def of(self, shard: int) -> str:
        """Returns what the record of a shard must say."""
        return in_later_round(self.stage, self.rounds) if round_of(shard) else self.stage


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """Paths of a run. Everything in it can be read by a person; nothing else remembers the run."""

    root: Path

    @property
    def scratch(self) -> Path:
        """Unfinished attempts and things on their way out."""
        return self.root / "scratch"

    @property
    def dataset(self) -> Path:
        """The finished dataset."""
        return self.root / "dataset"

    @property
    def report(self) -> Path:
        """The report's folder."""
        return self.root / "report"

    @property
    def audit(self) -> Path:
        """The audit's folder."""
        return self.root / "audit"

    @property
    def failed(self) -> Path:
        """One file for each task that failed in the last run."""
        return self.root / "failed"

    @property
    def log(self) -> Path:
        """The log: a line for each committed shard."""
        return self.root / "run.log"

    @property
    def hashes(self) -> Path:
        """Hashes of the files that the configuration names, so that they are not read at each start."""
        return self.root / "hashes.json"

    @property
    def cleaned(self) -> Path:
        """Says that `synth clean` freed images of rejected candidates; absent before."""
        return self.root / "cleaned.json"

    def stage(self, name: str) -> Path:
        """The folder of a stage."""
        return self.root / name

    def shard(self, stage: str, number: int) -> Path:
        """The folder of a shard."""
        return self.root / stage / f"{number:06d}"

    def shards(self, stage: str) -> list[Path]:
        """Returns the committed shards of a stage in order, whatever they were made with."""
        folder = self.stage(stage)
        found = [path for path in folder.iterdir() if path.name.isdigit()] if folder.is_dir() else []
        return sorted(found, key=lambda path: int(path.name))  # later rounds have more digits

    def committed(self, stage: str) -> dict[int, ShardRecord]:
        """Returns the records of a stage's shards that were made with its fingerprint, by number.

        Raises:
            ShardError: a record cannot be read.
        """
        digests = self.digests(stage)
        records = {int(path.name): ShardRecord.read(path) for path in self.shards(stage)}
        return {
            number: record for number, record in sorted(records.items()) if record.fingerprint == digests.of(number)
        }

    def holds(self, stage: str, task: Task) -> bool:
        """Returns whether a task is committed: the disk, not a worker, says what is done."""
        path = self.shard(stage, task.shard)
        if not (path / RECORD_NAME).is_file():
            return False
        record = ShardRecord.read(path)
        return record.task == task and record.fingerprint == self.digests(stage).of(task.shard)

    def has(self, stage: str, shard: int) -> bool:
        """Returns whether a shard is there, whatever it was made with."""
        return (self.shard(stage, shard) / RECORD_NAME).is_file()

    def made_with(self, stage: str) -> tuple[str, Mapping[str, Any]] | None:
        """Returns digest and inputs of the fingerprint that a stage was begun with; None if it was not begun.

        Raises:
            RunError: the file is damaged.
        """
        path = self.stage(stage) / FINGERPRINT_NAME
        try:
            stored = read_plain_json(path.read_text())
            digest, inputs = stored["digest"], stored["inputs"]
            if not (isinstance(digest, str) and isinstance(inputs, dict)):
                raise TypeError("it holds no digest and inputs")
            return digest, inputs
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(f"{path}: cannot be read ({error}); remove {path.parent} and run again") from error

    def stage_digest(self, stage: str) -> str | None:
        """Returns the digest that a stage was begun with."""
        found = self.made_with(stage)
        return found[0] if found else None

    def digests(self, stage: str) -> ShardDigests:
        """Returns the fingerprints that the shards of a stage must have."""
        return ShardDigests(self.stage_digest(stage) or "", self.stage_digest(ROUNDS) or "")

    def begin(self, stage: str, fingerprint: Fingerprint) -> None:
        """Says what the shards of a stage are made with."""
        if self.stage_digest(stage) == fingerprint.digest:
            return
        self.stage(stage).mkdir(parents=True, exist_ok=True)
        content = {"digest": fingerprint.digest, "inputs": dict(fingerprint.inputs)}
        write_json(self.stage(stage) / FINGERPRINT_NAME, content)

    def discard(self, path: Path) -> None:
        """Removes a file or folder of the run: it disappears by one rename, then its content goes."""
        if not path.exists():
            return
        self.scratch.mkdir(exist_ok=True)
        doomed = self.scratch / f"discarded.{uuid.uuid4().hex}"
        path.rename(doomed)
        if doomed.is_dir():
            shutil.rmtree(doomed)
        else:
            doomed.unlink()

    def read_run(self) -> dict[str, Any]:
        """Returns the content of run.json.

        Raises:
            RunError: this is no run directory, or the file is damaged.
        """
        path = self.root / "run.json"
        try:
            content: dict[str, Any] = read_plain_json(path.read_text())
        except FileNotFoundError:
            raise RunError(f"{self.root}: not a run directory (it has no run.json)") from None
        except (OSError, ValueError) as error:
            raise RunError(f"{path}: cannot be read ({error}); remove it and run the configuration again") from error
        if not isinstance(content, dict) or not isinstance(content.get("config"), dict):
            raise RunError(f"{path}: holds no configuration; remove it and run the configuration again")
        if not isinstance(content.setdefault("versions", {}), dict):
            raise RunError(f"{path}: its versions are no mapping; remove it and run the configuration again")
        return content

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Holds the run for one driver and wipes unfinished attempts; the kernel frees it if the driver dies.

        Raises:
            RunLockedError: another driver works on it.
            RunError: it is a folder with other things in it, or its name is no UTF-8.
        """
        self._refuse_bytes()
        self.root.mkdir(parents=True, exist_ok=True)
        self._refuse_foreign()
        with folder_lock(self.root, _LOCK):
            self._wipe_unfinished()
            yield
            shutil.rmtree(self.scratch, ignore_errors=True)

    @contextmanager
    def shared_lock(self) -> Iterator[None]:
        """Keeps drivers off while somebody reads the run, and changes nothing in it; many may read at once.

        Raises:
            RunLockedError: a driver works on it.
        """
        with shared_folder_lock(self.root, _LOCK):
            yield

    def holder(self) -> tuple[str, float] | None:
        """Returns who works on the run and since when, as `lock_holder` does."""
        return lock_holder(self.root, _LOCK)

    def _wipe_unfinished(self) -> None:
        """Removes what a killed driver and its workers left over."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        for pattern in (f"*{UNFINISHED}", f"*/*{UNFINISHED}"):
            for path in self.root.glob(pattern):
                path.unlink()
        for stage in STAGES:
            restore_directories(self.stage(stage))

    def _refuse_bytes(self) -> None:
        """A name of other bytes than UTF-8's cannot be handed to who writes tables."""
        try:
            str(self.root).encode()
        except UnicodeEncodeError:
            raise RunError(f"{str(self.root)!r}: its name is no UTF-8; name another folder with --run-dir") from None

    def _refuse_foreign(self) -> None:
        """A run replaces what is named like its own folders; those of somebody else must not be there."""
        if (self.root / _LOCK).exists() or (self.root / "run.json").exists():
            return
        foreign = [name for name in _OWN_FOLDERS if (self.root / name).exists()]
        if foreign:
            raise RunError(
                f"{self.root}: has a folder '{foreign[0]}' that no run made, and a run would replace it; "
                "name an empty or a new folder with --run-dir"
            )


@contextmanager
def disk_errors(root: Path) -> Iterator[None]:
    """Says in the run's words that its disk is full.

    Raises:
        DiskFullError: the block could not write, because no space is left.
    """
    try:
        yield
    except OSError as error:
        if error.errno in DISK_FULL:
            raise DiskFullError(f"{root}: no space left on the disk; free some and run again to go on") from error
        raise


def write_json(path: Path, content: Any) -> None:  # noqa: ANN401
    """Writes JSON so that a reader finds the old file or the new one, never a part."""
    replace_file(path, (json.dumps(content, indent=1, sort_keys=True) + "\n").encode())


def require_shard(run: RunDirectory, stage: str, number: int) -> Path:
    """Returns a committed shard that a later stage reads.

    Raises:
        ShardError: it is not there.
    """
    path = run.shard(stage, number)
    if not run.has(stage, number):
        raise ShardError(f"{path}: missing; run again to make it")
    return path


def selection_sha256(run: RunDirectory) -> str:
    """Returns the SHA-256 of the committed selection, which says what the dataset consists of.

    Raises:
        ShardError: it is not there.
    """
    return ShardRecord.read(require_shard(run, "select", 0)).files["selection.parquet"].sha256
