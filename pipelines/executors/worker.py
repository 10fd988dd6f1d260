"""A worker process: it opens each stage once and runs the tasks it is given, until its driver ends."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from types import ModuleType

from pipelines.executors.task import OpenStages, Reply
from pipelines.stage import PlannedTask

# One thread a worker: the number of workers is the only dial, and sums do not depend on the number of cores.
THREAD_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class WorkerDiedError(Exception):
    """The process ended without a reply."""


class Worker:
    """The driver's end of a worker process.

    Attributes:
        connection: readable when the worker replied or died.
        task: what it works on.
    """

    def __init__(self, stages: OpenStages) -> None:
        self.task: PlannedTask | None = None
        self._stages = stages
        self._start()

    def give(self, task: PlannedTask) -> None:
        """Hands over a task. If the worker is dead, `collect` says so."""
        self.task = task
        try:
            self.connection.send(task)
        except OSError:  # dead: its closed connection is readable at once
            return

    def collect(self) -> Reply:
        """Returns the reply to the task given last.

        Raises:
            WorkerDiedError: there is none; the message says how the process ended.
        """
        self.task = None
        try:
            reply: Reply = self.connection.recv()
        except (EOFError, OSError):
            self._process.join()
            raise WorkerDiedError(f"exit code {self._process.exitcode}") from None
        return reply

    def restart(self) -> None:
        """Starts a new process in place of a dead one."""
        self.stop()
        self._start()

    def stop(self) -> None:
        """Ends the process; a task under way is lost, not half done."""
        self._process.kill()
        self._process.join()
        self.connection.close()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(self._stages, theirs), daemon=True)
        with child_settings():
            self._process.start()
        theirs.close()


@contextmanager
def child_settings() -> Iterator[None]:
    """Lets a child start with one thread, without the main script, and deaf to Ctrl-C, which its driver answers for it.

    Spawned processes import the script that began all, and one that calls a run at its top level would begin it in
    each of them; nothing of a script is needed there. The signal is held back, not ignored: pressed meanwhile, it
    reaches the driver when this ends. multiprocessing's tracker is started before, because its start lets the signal
    through again.
    """
    before = {name: os.environ.get(name) for name in THREAD_LIMITS}
    os.environ.update(dict.fromkeys(THREAD_LIMITS, "1"))
    resource_tracker.ensure_running()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _work(stages: OpenStages, connection: Connection) -> None:
    """Runs in the worker: answers each task until the driver closes the connection."""
    threading.Thread(target=_exit_with_driver, daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        try:
            connection.send(stages.attempt(connection.recv()))
        except (EOFError, OSError):
            return


def _exit_with_driver() -> None:
    """Ends this process when its driver ends, even by SIGKILL: the kernel closes the driver's end of the sentinel."""
    driver = multiprocessing.parent_process()
    assert driver is not None
    wait([driver.sentinel])
    os._exit(1)
