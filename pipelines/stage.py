"""What a stage is: tasks planned in advance, each filling one directory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

from synth.shards.manifest import Task


class TaskKey(NamedTuple):
    """Names a task of a run; as text like 'generate.000077'."""

    stage: str
    shard: int

    def __str__(self) -> str:
        return f"{self.stage}.{self.shard:06d}"


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """A task of a stage, and the tasks that have to be committed before it starts."""

    stage: str
    task: Task
    needs: tuple[TaskKey, ...] = ()

    @property
    def key(self) -> TaskKey:
        """Its name."""
        return TaskKey(self.stage, self.task.shard)


class Stage(ABC):
    """One of the five steps of a run. It never sees commits, retries, resume or the executor.

    Attributes:
        name: of the stage, its file, its directory and its word on the command line.
        unit: what its counts are of, as progress shows it: 'images', 'identities', ... .
    """

    name: ClassVar[str]
    unit: ClassVar[str]

    @abstractmethod
    def tasks(self) -> list[Task]:
        """Returns all tasks: a pure function of the configuration and the stages before."""

    def needs(self, task: Task) -> tuple[TaskKey, ...]:
        """Returns the tasks whose shards this one reads, where it runs while the stage before is not finished."""
        return ()

    def open(self, device: str) -> None:  # noqa: B027
        """Builds the components, once per worker. `device` is like 'cpu' or 'cuda:0'."""

    @abstractmethod
    def process(self, task: Task, out: Path) -> dict[str, int]:
        """Writes the task's files into the existing directory `out`; returns counts, its unit among them."""
