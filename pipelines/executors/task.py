"""The worker's side of a stage, the same under every executor."""

from __future__ import annotations

import copy
import platform
import socket
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import TypeAlias

from pipelines.run_directory import RunDirectory, ShardDigests, disk_errors
from pipelines.stage import PlannedTask, Stage
from synth.errors import DiskFullError, RunError, SelectionError, SynthError, VectorsError, WeightsError
from synth.shards.commit import commit_directory
from synth.shards.manifest import ShardRecord, Task, describe_files

_VERSIONED = ("synth", "numpy", "pillow", "pyarrow", "onnxruntime", "warp-lang", "torch")


@dataclass(frozen=True, slots=True)
class Raised:
    """A task, or opening its stage, raised."""

    reason: str
    traceback: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """No task can succeed here: the run has to end."""

    error: SynthError


Reply: TypeAlias = ShardRecord | Raised | Stopped


class OpenStages:
    """The stages of a run on a device, each opened when its first task comes."""

    def __init__(self, run: RunDirectory, stages: Sequence[Stage], device: str) -> None:
        """Remembers what to open.

        Args:
            run: where shards go.
            stages: begun and not opened.
            device: like 'cpu' or 'cuda:0'.
        """
        self._stages = {stage.name: OpenStage(run, stage, device, run.digests(stage.name)) for stage in stages}

    def attempt(self, task: PlannedTask) -> Reply:
        """Runs one task and says what became of it."""
        return self._stages[task.stage].attempt(task.task)


class OpenStage:
    """A stage on a device, opened when its first task comes."""

    def __init__(self, run: RunDirectory, stage: Stage, device: str, digests: ShardDigests) -> None:
        """Remembers what to open.

        Args:
            run: where shards go.
            stage: not opened.
            device: like 'cpu' or 'cuda:0'.
            digests: of its shards, when the driver began it.
        """
        self._run = run
        self._stage = copy.copy(stage)  # what is opened goes when this goes, not with the driver's plan
        self._device = device
        self._digests = digests
        self._is_open = False

    def attempt(self, task: Task) -> Reply:
        """Runs one task and says what became of it."""
        try:
            if not self._is_open:
                self._stage.open(self._device)
                self._is_open = True
        except SynthError as error:
            return Stopped(error)
        except Exception as error:
            return _raised(error)
        try:
            return run_task(self._run, self._stage, task, self._digests.of(task.shard))
        except (DiskFullError, SelectionError, VectorsError, WeightsError) as error:
            return Stopped(error)
        except Exception as error:
            return _raised(error)


def run_task(run: RunDirectory, stage: Stage, task: Task, digest: str) -> ShardRecord:
    """Runs one task of an opened stage and commits its shard.

    Raises:
        DiskFullError: there is no space left.
        RunError: the stage was begun anew with another configuration meanwhile; nothing is committed.
    """
    final = run.shard(stage.name, task.shard)
    started, cpu_started = time.monotonic(), time.process_time()
    with disk_errors(run.root), commit_directory(final, run.scratch) as out:
        counts = stage.process(task, out)
        record = ShardRecord(
            task=task,
            fingerprint=digest,
            counts=counts,
            files=describe_files(out),
            seconds=round(time.monotonic() - started, 3),
            cpu_seconds=round(time.process_time() - cpu_started, 3),
            host=f"{socket.gethostname()} {platform.machine()}",
            versions=versions(),
        )
        record.write(out)
        if run.digests(stage.name).of(task.shard) != digest:
            raise RunError(f"{final}: the stage was begun anew with another configuration; nothing is committed")
    return record


def versions() -> dict[str, str]:
    """Returns the versions of the installed packages that can change a byte."""
    found = {"python": platform.python_version()}
    for name in _VERSIONED:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _raised(error: Exception) -> Raised:
    line = str(error).partition("\n")[0]
    return Raised(f"{type(error).__name__}: {line}", traceback.format_exc())
