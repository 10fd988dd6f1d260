"""Runs a stage: the driver's side of its tasks."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

from pipelines.executors.base import Executor, TaskFailure
from pipelines.run_directory import RunDirectory, write_json
from pipelines.stage import Stage
from synth.errors import TasksFailedError
from synth.shards.manifest import ShardRecord, Task, write_manifest

log = logging.getLogger(__name__)


class Observer(Protocol):
    """Who wants to know how a stage goes."""

    def stage_started(self, stage: Stage, tasks: Sequence[Task], done: Sequence[ShardRecord]) -> None:
        """All tasks of a stage, and the records of those committed before."""

    def shard_committed(self, record: ShardRecord) -> None:
        """One more shard."""

    def stage_ended(self) -> None:
        """The stage ended, by success or failure."""


def run_stage(run: RunDirectory, stage: Stage, executor: Executor, observer: Observer) -> int:
    """Runs the tasks of a stage that are not committed yet.

    Returns:
        How many shards were made.

    Raises:
        TasksFailedError: some failed; `failed/` says why.
    """
    tasks = stage.tasks()
    done = remove_outdated(run, stage.name, tasks)
    missing = [task for task in tasks if task.shard not in done]
    if not missing:
        return 0
    failures: list[TaskFailure] = []
    observer.stage_started(stage, tasks, list(done.values()))
    try:
        for outcome in executor.run(run, stage, missing):
            if isinstance(outcome, TaskFailure):
                failures.append(outcome)
                _write_failure(run, stage.name, outcome)
            else:
                done[outcome.task.shard] = outcome
                _log_shard(stage, outcome)
                observer.shard_committed(outcome)
    finally:
        observer.stage_ended()
    if failures:
        raise TasksFailedError(_failure_message(run, stage.name, failures), [f.name(stage.name) for f in failures])
    records = [done[task.shard] for task in tasks]
    write_manifest(run.stage(stage.name) / "manifest.json", records)
    return len(missing)


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


def _write_failure(run: RunDirectory, stage: str, failure: TaskFailure) -> None:
    log.error("%s failed: %s", failure.name(stage), failure.reason)
    run.failed.mkdir(exist_ok=True)
    content = {
        "task": {"shard": failure.task.shard, "start": failure.task.start, "stop": failure.task.stop},
        "attempts": failure.attempts,
        "reason": failure.reason,
        "traceback": failure.traceback.splitlines(),
    }
    write_json(run.failed / f"{failure.name(stage)}.json", content)


def _failure_message(run: RunDirectory, stage: str, failures: Sequence[TaskFailure]) -> str:
    first = failures[0]
    count = "1 task" if len(failures) == 1 else f"{len(failures)} tasks"
    return (
        f"{run.root}: {count} of {stage} failed; the first, {first.name(stage)}: {first.reason}\n"
        f"tracebacks are in {run.failed}; mend the cause and run again: committed shards stay"
    )


def _log_shard(stage: Stage, record: ShardRecord) -> None:
    amount = record.counts.get(stage.unit, 0)
    rate = amount / record.seconds if record.seconds else 0.0
    log.info("%s %06d %d %s %.1f s %.1f/s", stage.name, record.task.shard, amount, stage.unit, record.seconds, rate)
