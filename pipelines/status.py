"""How far a run is, how fast it goes and what failed: read from its directory alone, while others work on it."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipelines.config import stored_config
from pipelines.driver import STAGE_CLASSES
from pipelines.plan import even_tasks, identity_tasks
from pipelines.run_directory import RunDirectory
from pipelines.schema import RunConfig
from synth.errors import RunError, ShardError
from synth.plain_json import read_plain_json
from synth.shards.manifest import RECORD_NAME, ShardRecord, Task

LATEST: Final = 20  # shards that say how fast a stage goes: enough to smooth, few enough to follow a change


@dataclass(frozen=True, slots=True, kw_only=True)
class StageStatus:
    """How far a stage is.

    Attributes:
        name: of the stage.
        unit: what its counts are of: 'images', 'identities', ... .
        committed: number of shards.
        planned: number of shards; None where the stages before decide it.
        failed: number of tasks that failed in the last run.
        counts: sums over the committed shards.
        worker_seconds: sum over the committed shards.
        size: bytes of the committed shards.
        per_second: units, of the latest shards; None where none were made since the driver at work began.
        seconds_left: at that rate.
    """

    name: str
    unit: str
    committed: int
    planned: int | None
    failed: int
    counts: dict[str, int]
    worker_seconds: float
    size: int
    per_second: float | None
    seconds_left: float | None


@dataclass(frozen=True, slots=True)
class FailedTask:
    """A task that failed in the last run: its name, like 'generate.000077', and what its file in `failed/` says."""

    task: str
    attempts: int
    reason: str
    traceback: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStatus:
    """How a run is.

    Attributes:
        run: its directory.
        holder: who works on it, like 'process 12 on host'; None if nobody does.
        stages: all five, in order.
        failures: of the last run.
        size: bytes of all committed shards.
        free: bytes left on its disk.
    """

    run: str
    holder: str | None
    stages: list[StageStatus]
    failures: list[FailedTask]
    size: int
    free: int


def run_status(run: RunDirectory) -> RunStatus:
    """Returns how a run is; it may be under way.

    Raises:
        RunError: it is no run directory, or a file in `failed/` is damaged.
        ShardError: a record cannot be read.
    """
    config = stored_config(run)
    holder, since = run.holder() or (None, None)
    failures = [failure for path in sorted(run.failed.glob("*.json")) if (failure := _failed_task(path))]
    failed = Counter(failure.task.partition(".")[0] for failure in failures)
    stages: list[StageStatus] = []
    for stage in STAGE_CLASSES:
        tasks = _planned(stage.name, config, stages)
        stages.append(_stage_status(run, stage.name, stage.unit, tasks, failed[stage.name], since))
    return RunStatus(
        run=str(run.root),
        holder=holder,
        stages=stages,
        failures=failures,
        size=sum(stage.size for stage in stages),
        free=shutil.disk_usage(run.root).free,
    )


def _planned(stage: str, config: RunConfig, before: Sequence[StageStatus]) -> list[Task] | None:
    """Returns the tasks of a stage; None while the stages before have yet to decide them."""
    count = config.identities.count
    if stage in ("sample", "select"):
        return [Task(0, 0, count)]
    if stage in ("generate", "measure"):
        return identity_tasks(count, config.images.identities_per_shard, config.images.max_rounds)
    kept = before[-1].counts.get("kept")
    return None if kept is None else even_tasks(kept, config.export.shard_size)


def _stage_status(
    run: RunDirectory, name: str, unit: str, tasks: Sequence[Task] | None, failed: int, since: float | None
) -> StageStatus:
    commits = [commit for path in run.shards(name) if (commit := _commit(path))]
    records = [commit.record for commit in commits]
    counts: Counter[str] = Counter()
    for record in records:
        counts.update(record.counts)
    pace = _Pace([commit for commit in commits if since is not None and commit.time >= since], unit)
    return StageStatus(
        name=name,
        unit=unit,
        committed=len(records),
        planned=None if tasks is None else len(tasks),
        failed=failed,
        counts=dict(counts),
        worker_seconds=sum(record.seconds for record in records),
        size=sum(file.size for record in records for file in record.files.values()),
        per_second=pace.units,
        seconds_left=None if tasks is None else pace.seconds_for(_items(tasks) - _items(r.task for r in records)),
    )


@dataclass(frozen=True, slots=True)
class _Commit:
    """A committed shard's record, and when it was committed, seconds since 1970."""

    record: ShardRecord
    time: float


def _commit(shard: Path) -> _Commit | None:
    """Reads what a shard says of itself; None if it was removed meanwhile."""
    try:
        return _Commit(ShardRecord.read(shard), (shard / RECORD_NAME).stat().st_mtime)
    except (ShardError, FileNotFoundError):
        if shard.exists():
            raise
        return None


class _Pace:
    """How fast a stage goes: from the commit of the earliest of the latest shards to that of the last.

    Attributes:
        units: a second; None where fewer than two shards were committed, or the clock was set back meanwhile.
    """

    def __init__(self, commits: Sequence[_Commit], unit: str) -> None:
        latest = sorted(commits, key=lambda commit: commit.time)[-LATEST:]
        seconds = latest[-1].time - latest[0].time if latest else 0.0
        made = [commit.record for commit in latest[1:]]
        self.units = sum(record.counts.get(unit, 0) for record in made) / seconds if seconds > 0 else None
        self._items = _items(record.task for record in made) / seconds if seconds > 0 else None

    def seconds_for(self, items: int) -> float | None:
        """Returns how long so many work items take; None where that is not known."""
        return items / self._items if self._items and items > 0 else None


def _items(tasks: Iterable[Task]) -> int:
    return sum(task.stop - task.start for task in tasks)


def _failed_task(path: Path) -> FailedTask | None:
    """Reads what is known of a failed task; None if a run began meanwhile, which forgets them."""
    try:
        content = read_plain_json(path.read_text())
        return FailedTask(path.stem, int(content["attempts"]), str(content["reason"]), list(content["traceback"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path}: cannot be read ({error}); remove it, the next run writes it anew") from error
