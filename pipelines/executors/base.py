"""What an executor is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pipelines.run_directory import RunDirectory
from pipelines.stage import PlannedTask, Stage, TaskKey
from synth.shards.manifest import ShardRecord, Task


@dataclass(frozen=True, slots=True)
class Committed:
    """A task whose shard is there."""

    stage: str
    record: ShardRecord


@dataclass(frozen=True, slots=True)
class TaskFailure:
    """A task that was given up.

    Attributes:
        stage: its stage.
        task: which.
        reason: one line.
        traceback: of the exception; empty where a worker died.
        attempts: how often it was tried.
    """

    stage: str
    task: Task
    reason: str
    traceback: str
    attempts: int

    @property
    def name(self) -> str:
        """The task's name, like 'generate.000077'."""
        return str(TaskKey(self.stage, self.task.shard))


Outcome: TypeAlias = Committed | TaskFailure


class Executor(ABC):
    """Decides which process runs which task when, as `Schedule` allows it; nothing else."""

    @abstractmethod
    def run(self, run: RunDirectory, stages: Sequence[Stage], tasks: Sequence[PlannedTask]) -> Iterator[Outcome]:
        """Runs tasks and yields what became of each, in the order they end.

        Args:
            run: where shards go.
            stages: that the tasks belong to, not opened.
            tasks: none of them committed. What they need is among them or committed.

        Raises:
            SynthError: a stage cannot be opened, or no task could succeed now (the disk is full).
        """

    def close(self) -> None:  # noqa: B027
        """Frees what is held from one call of `run` to the next."""
