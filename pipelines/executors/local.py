"""Runs tasks on this machine: in this process, or in supervised worker processes."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from multiprocessing.connection import wait

from pipelines.executors.base import Executor, TaskFailure
from pipelines.executors.task import OpenStage, Raised, Stopped
from pipelines.executors.worker import Worker, WorkerDiedError
from pipelines.run_directory import RunDirectory
from pipelines.stage import Stage
from synth.shards.manifest import ShardRecord, Task

MAX_ATTEMPTS = 3

log = logging.getLogger(__name__)


class LocalExecutor(Executor):
    """One worker runs in this process: the reference. More are spawned processes; one that dies is replaced."""

    def __init__(
        self,
        workers: int = 1,
        devices: Sequence[str] = ("cpu",),
        *,
        keep_going: bool = False,
        in_this_process: bool = True,
    ) -> None:
        """Plans workers; starts none.

        Args:
            workers: how many tasks run at once.
            devices: like 'cpu' or 'cuda:0', dealt to the workers in turn.
            keep_going: whether new tasks start after one failed.
            in_this_process: whether one worker does without a process of its own; right where numpy was told to use
                one thread, as the command line tells it.

        Raises:
            ValueError: no worker, or no device.
        """
        if workers < 1 or not devices:
            raise ValueError(f"LocalExecutor: needs a worker and a device, got {workers} and {list(devices)}")
        self._workers = workers
        self._devices = tuple(devices)
        self._keep_going = keep_going
        self._in_this_process = in_this_process

    def run(self, run: RunDirectory, stage: Stage, tasks: Sequence[Task]) -> Iterator[ShardRecord | TaskFailure]:
        """Runs tasks as `Executor.run` says."""
        digest = run.stage_digest(stage.name) or ""
        count = min(self._workers, len(tasks))
        if count == 1 and self._in_this_process:
            return self._run_here(OpenStage(run, stage, self._devices[0], digest), tasks)
        devices = [self._devices[k % len(self._devices)] for k in range(count)]
        return self._run_workers(run, stage, tasks, devices, digest)

    def _run_here(self, stage: OpenStage, tasks: Sequence[Task]) -> Iterator[ShardRecord | TaskFailure]:
        for task in tasks:
            outcome = _outcome(task, stage.attempt(task), attempts=1)
            yield outcome
            if isinstance(outcome, TaskFailure) and not self._keep_going:
                return

    def _run_workers(
        self, run: RunDirectory, stage: Stage, tasks: Sequence[Task], devices: Sequence[str], digest: str
    ) -> Iterator[ShardRecord | TaskFailure]:
        """Hands each worker a task at a time; the workers are gone when this ends, however it ends."""
        queue = _Queue(run, stage.name, tasks)
        workers: list[Worker] = []
        try:
            for device in devices:
                workers.append(Worker(run, stage, device, digest))
                queue.give_next(workers[-1])
            while busy := {worker.connection: worker for worker in workers if worker.task}:
                for connection in wait(list(busy)):
                    worker = busy[connection]  # type: ignore[index]
                    outcome = queue.collect(worker)
                    if isinstance(outcome, TaskFailure) and not self._keep_going:
                        queue.clear()
                    queue.give_next(worker)
                    if outcome is not None:
                        yield outcome
        finally:
            for worker in workers:
                worker.stop()


class _Queue:
    """The tasks that wait, and how often each was tried."""

    def __init__(self, run: RunDirectory, stage: str, tasks: Sequence[Task]) -> None:
        self._run = run
        self._stage = stage
        self._waiting = deque(tasks)
        self._attempts = dict.fromkeys(tasks, 0)

    def clear(self) -> None:
        """Lets no more tasks start."""
        self._waiting.clear()

    def give_next(self, worker: Worker) -> None:
        """Hands the next task to an idle worker, if there is one."""
        if self._waiting:
            task = self._waiting.popleft()
            self._attempts[task] += 1
            worker.give(task)

    def collect(self, worker: Worker) -> ShardRecord | TaskFailure | None:
        """Takes a worker's reply; if it died, replaces it. None: its task waits again."""
        task = worker.task
        assert task is not None
        try:
            return _outcome(task, worker.collect(), self._attempts[task])
        except WorkerDiedError as death:
            log.warning(
                "a worker died (%s) in %s %06d, attempt %d", death, self._stage, task.shard, self._attempts[task]
            )
            worker.restart()
            return self._after_death(task, str(death))

    def _after_death(self, task: Task, death: str) -> ShardRecord | TaskFailure | None:
        """Asks the disk what became of a task whose worker died."""
        if self._run.holds(self._stage, task):
            return ShardRecord.read(self._run.shard(self._stage, task.shard))
        if self._attempts[task] < MAX_ATTEMPTS:
            self._waiting.appendleft(task)
            return None
        reason = f"its worker died {MAX_ATTEMPTS} times, the last time with {death}"
        return TaskFailure(task, reason, "", MAX_ATTEMPTS)


def _outcome(task: Task, reply: ShardRecord | Raised | Stopped, attempts: int) -> ShardRecord | TaskFailure:
    if isinstance(reply, Stopped):
        raise reply.error
    if isinstance(reply, Raised):
        return TaskFailure(task, reply.reason, reply.traceback, attempts)
    return reply
