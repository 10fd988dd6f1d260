"""Runs tasks on this machine: in this process, or in supervised worker processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from multiprocessing.connection import wait

from pipelines.executors.base import Executor, Outcome
from pipelines.executors.schedule import Schedule
from pipelines.executors.task import OpenStages
from pipelines.executors.worker import Worker, WorkerDiedError
from pipelines.run_directory import RunDirectory
from pipelines.stage import PlannedTask, Stage


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

    def run(self, run: RunDirectory, stages: Sequence[Stage], tasks: Sequence[PlannedTask]) -> Iterator[Outcome]:
        """Runs tasks as `Executor.run` says."""
        schedule = Schedule(run, tasks, keep_going=self._keep_going)
        count = min(self._workers, len(tasks))
        opened = [OpenStages(run, stages, self._devices[k % len(self._devices)]) for k in range(count)]
        if count == 1 and self._in_this_process:
            return _run_here(schedule, opened[0])
        return _run_in_workers(schedule, opened)


def _run_here(schedule: Schedule, stages: OpenStages) -> Iterator[Outcome]:
    while task := schedule.next():
        yield schedule.replied(task, stages.attempt(task))


def _run_in_workers(schedule: Schedule, opened: Sequence[OpenStages]) -> Iterator[Outcome]:
    """Hands each worker a task at a time; the workers are gone when this ends, however it ends."""
    workers: list[Worker] = []
    try:
        for stages in opened:
            workers.append(Worker(stages))
            _hand_out(schedule, workers[-1:])
        while busy := {worker.connection: worker for worker in workers if worker.task}:
            outcomes = [_collect(schedule, busy[connection]) for connection in wait(list(busy))]  # type: ignore[index]
            _hand_out(schedule, workers)
            yield from (outcome for outcome in outcomes if outcome is not None)
    finally:
        for worker in workers:
            worker.stop()


def _hand_out(schedule: Schedule, workers: Sequence[Worker]) -> None:
    """Gives idle workers what may start."""
    for worker in workers:
        if worker.task is None and (task := schedule.next()):
            worker.give(task)


def _collect(schedule: Schedule, worker: Worker) -> Outcome | None:
    """Takes a worker's reply; if it died, replaces it. None: its task waits again."""
    task = worker.task
    assert task is not None
    try:
        reply = worker.collect()
    except WorkerDiedError as death:
        worker.restart()
        return schedule.died(task, str(death))
    return schedule.replied(task, reply)
