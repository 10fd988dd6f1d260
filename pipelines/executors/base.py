"""What an executor is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipelines.run_directory import RunDirectory
from pipelines.stage import Stage
from synth.shards.manifest import ShardRecord, Task


@dataclass(frozen=True, slots=True)
class TaskFailure:
    """A task that was given up.

    Attributes:
        task: which.
        reason: one line.
        traceback: of the exception; empty where a worker died.
        attempts: how often it was tried.
    """

    task: Task
    reason: str
    traceback: str
    attempts: int

    def name(self, stage: str) -> str:
        """Returns the task's name, like 'generate.000077'."""
        return f"{stage}.{self.task.shard:06d}"


class Executor(ABC):
    """Decides which process runs which task when; nothing else.

    Every executor keeps the same rules. A task whose worker dies goes back into the queue unless the disk says that
    it was committed, and is given up after three attempts. A task that raises is given up at once: the same input
    would raise again. After a failure no new task starts, unless asked to keep going; those under way end first.
    """

    @abstractmethod
    def run(self, run: RunDirectory, stage: Stage, tasks: Sequence[Task]) -> Iterator[ShardRecord | TaskFailure]:
        """Runs tasks and yields what became of each, in the order they end.

        Raises:
            SynthError: the stage cannot be opened, or no task could succeed now (the disk is full).
        """
