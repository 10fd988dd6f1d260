"""Which task starts when, and what becomes of one that failed or lost its worker: the rules of every executor."""

from __future__ import annotations

import heapq
import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final

from pipelines.executors.base import Committed, Outcome, TaskFailure
from pipelines.executors.task import Raised, Reply, Stopped
from pipelines.fingerprint import STAGES
from pipelines.run_directory import RunDirectory
from pipelines.stage import PlannedTask, TaskKey
from synth.shards.manifest import ShardRecord

MAX_ATTEMPTS: Final = 3

log = logging.getLogger(__name__)


class Schedule:
    """The tasks of a run that are not committed yet.

    A task starts once what it needs is committed; of those that may, the one of the latest stage goes first, so that
    what was generated is measured soon, and lower shards before higher ones. A task whose worker dies waits again
    unless the disk says that it was committed, and is given up after three attempts. A task that raises is given up
    at once: the same input would raise again. After a failure no new task starts, unless asked to keep going; those
    under way end first, and what needs the failed one never starts.

    Args:
        run: where shards go.
        tasks: none of them committed.
        keep_going: whether new tasks start after one failed.
    """

    def __init__(self, run: RunDirectory, tasks: Sequence[PlannedTask], *, keep_going: bool) -> None:
        self._run = run
        self._keep_going = keep_going
        self._is_stopped = False
        self._attempts: Counter[TaskKey] = Counter()
        self._ready: list[tuple[int, int, PlannedTask]] = []
        self._unmet: dict[TaskKey, int] = {}
        self._waiting: defaultdict[TaskKey, list[PlannedTask]] = defaultdict(list)
        planned = {task.key for task in tasks}
        for task in tasks:
            unmet = planned.intersection(task.needs)
            self._unmet[task.key] = len(unmet)
            for need in unmet:
                self._waiting[need].append(task)
            if not unmet:
                self._make_ready(task)

    def next(self) -> PlannedTask | None:
        """Returns the task that starts now; None if none may before another one ends."""
        if not self.has_next:
            return None
        task = heapq.heappop(self._ready)[-1]
        self._attempts[task.key] += 1
        return task

    @property
    def has_next(self) -> bool:
        """Whether `next` would return a task."""
        return bool(self._ready) and not self._is_stopped

    def replied(self, task: PlannedTask, reply: Reply) -> Outcome:
        """Takes what a worker says became of a task.

        Raises:
            SynthError: no task can succeed.
        """
        if isinstance(reply, Stopped):
            raise reply.error
        if isinstance(reply, Raised):
            return self._give_up(task, reply.reason, reply.traceback)
        return self._commit(task, reply)

    def died(self, task: PlannedTask, death: str) -> Outcome | None:
        """Asks the disk what became of a task whose worker died; None: it waits again."""
        attempts = self._attempts[task.key]
        log.warning("a worker died (%s) in %s, attempt %d", death, task.key, attempts)
        if self._run.holds(task.stage, task.task):
            return self._commit(task, ShardRecord.read(self._run.shard(task.stage, task.task.shard)))
        if attempts >= MAX_ATTEMPTS:
            return self._give_up(task, f"its worker died {attempts} times, the last time with {death}", "")
        self._make_ready(task)
        return None

    def _commit(self, task: PlannedTask, record: ShardRecord) -> Committed:
        for waiting in self._waiting.pop(task.key, []):
            self._unmet[waiting.key] -= 1
            if not self._unmet[waiting.key]:
                self._make_ready(waiting)
        return Committed(task.stage, record)

    def _give_up(self, task: PlannedTask, reason: str, traceback: str) -> TaskFailure:
        self._is_stopped = not self._keep_going
        return TaskFailure(task.stage, task.task, reason, traceback, self._attempts[task.key])

    def _make_ready(self, task: PlannedTask) -> None:
        heapq.heappush(self._ready, (-STAGES.index(task.stage), task.task.shard, task))
