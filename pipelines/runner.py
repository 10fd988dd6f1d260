"""Runs stages: the driver's side of their tasks."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from pipelines.executors.base import Executor, TaskFailure
from pipelines.run_directory import RunDirectory, write_json
from pipelines.stage import PlannedTask, Stage
from synth.errors import TasksFailedError
from synth.shards.manifest import ShardRecord, Task, write_manifest

log = logging.getLogger(__name__)


class Observer(Protocol):
    """Who wants to know how stages go; several may be under way."""

    def stage_started(self, stage: Stage, tasks: Sequence[Task], done: Sequence[ShardRecord]) -> None:
        """All tasks of a stage, and the records of those committed before."""

    def shard_committed(self, stage: str, record: ShardRecord) -> None:
        """One more shard of a stage that was started."""

    def stage_ended(self, stage: str) -> None:
        """A stage that was started ended, by success or failure."""


class _Work:
    """A stage with its plan and what is committed of it."""

    def __init__(self, run: RunDirectory, stage: Stage) -> None:
        self.stage = stage
        self.tasks = stage.tasks()
        self.done = remove_outdated(run, stage.name, self.tasks)
        self.missing = [task for task in self.tasks if task.shard not in self.done]

    @property
    def is_finished(self) -> bool:
        """Whether all of its tasks are committed."""
        return len(self.done) == len(self.tasks)


def run_stages(run: RunDirectory, stages: Sequence[Stage], executor: Executor, observer: Observer) -> int:
    """Runs the tasks of stages that are not committed yet, each as soon as what it needs is.

    Tasks that need what is neither committed nor among them are left for later.

    Args:
        run: locked; the stages are begun.
        stages: whose tasks are known now, in order.
        executor: who runs them.
        observer: who is told.

    Returns:
        How many shards were made.

    Raises:
        TasksFailedError: some failed; `failed/` says why.
    """
    work = {stage.name: found for stage in stages if (found := _Work(run, stage)).missing}
    missing = [PlannedTask(name, task, one.stage.needs(task)) for name, one in work.items() for task in one.missing]
    planned = _startable(run, missing)
    failures: list[TaskFailure] = []
    for one in work.values():
        observer.stage_started(one.stage, one.tasks, list(one.done.values()))
    try:
        for outcome in executor.run(run, [one.stage for one in work.values()], planned) if planned else ():
            if isinstance(outcome, TaskFailure):
                failures.append(outcome)
                _write_failure(run, outcome)
                continue
            one = work[outcome.stage]
            one.done[outcome.record.task.shard] = outcome.record
            _log_shard(one.stage, outcome.record)
            observer.shard_committed(outcome.stage, outcome.record)
            if one.is_finished:
                _write_manifest(run, one)
    finally:
        for name in work:
            observer.stage_ended(name)
    if failures:
        raise TasksFailedError(_failure_message(run, failures), [failure.name for failure in failures])
    return len(planned)


def _startable(run: RunDirectory, tasks: Sequence[PlannedTask]) -> list[PlannedTask]:
    """Returns the tasks whose needs are committed, or will be by other tasks of these."""
    startable = list(tasks)
    while True:
        coming = {task.key for task in startable}
        kept = [task for task in startable if all(key in coming or run.has(*key) for key in task.needs)]
        if len(kept) == len(startable):
            return kept
        startable = kept


def remove_outdated(run: RunDirectory, stage: str, tasks: Sequence[Task]) -> dict[int, ShardRecord]:
    """Removes shards that the plan does not have any more; returns the records of those that stay, by number."""
    planned = {task.shard: task for task in tasks}
    committed = run.committed(stage)
    for path in run.shards(stage):
        record = committed.get(int(path.name))
        if record is None or planned.get(record.task.shard) != record.task:
            log.info("%s %s removed: it belongs to another plan", stage, path.name)
            committed.pop(int(path.name), None)
            run.discard(path)
    return committed


def _write_manifest(run: RunDirectory, work: _Work) -> None:
    write_manifest(run.stage(work.stage.name) / "manifest.json", [work.done[task.shard] for task in work.tasks])


def _write_failure(run: RunDirectory, failure: TaskFailure) -> None:
    log.error("%s failed: %s", failure.name, failure.reason)
    run.failed.mkdir(exist_ok=True)
    content = {
        "task": {"shard": failure.task.shard, "start": failure.task.start, "stop": failure.task.stop},
        "attempts": failure.attempts,
        "reason": failure.reason,
        "traceback": failure.traceback.splitlines(),
    }
    write_json(run.failed / f"{failure.name}.json", content)


def _failure_message(run: RunDirectory, failures: Sequence[TaskFailure]) -> str:
    first = failures[0]
    counts = Counter(failure.stage for failure in failures)
    told = " and ".join(f"{number} task{'s' * (number > 1)} of {stage}" for stage, number in counts.items())
    return (
        f"{run.root}: {told} failed; the first, {first.name}: {first.reason}\n"
        f"tracebacks are in {run.failed}; mend the cause and run again: committed shards stay"
    )


def _log_shard(stage: Stage, record: ShardRecord) -> None:
    amount = record.counts.get(stage.unit, 0)
    rate = amount / record.seconds if record.seconds else 0.0
    log.info("%s %06d %d %s %.1f s %.1f/s", stage.name, record.task.shard, amount, stage.unit, record.seconds, rate)
