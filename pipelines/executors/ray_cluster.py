"""Runs tasks on a Ray cluster: a running one, or one on this machine that lives as long as the run."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from pipelines.executors.base import Executor, Outcome
from pipelines.executors.schedule import Schedule
from pipelines.executors.task import OpenStages, Reply
from pipelines.executors.worker import THREAD_LIMITS
from pipelines.run_directory import RunDirectory
from pipelines.stage import PlannedTask, Stage
from synth.errors import RunError
from synth.extras import require_extra

_OBJECT_STORE: Final = 100_000_000  # bytes of a cluster of our own; nothing but tasks and records crosses it
_CONNECT: Final = 10.0  # seconds
_GIVE_UP: Final = 60.0  # seconds without a worker that starts
_LONGEST: Final = 300  # characters of a reason
_PAUSE: Final = 1.0  # seconds between two attempts to start a worker
_PATIENCE: Final = 60.0  # seconds that workers may take to start before a warning
_OURS: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",  # telemetry
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # makes every socket of a local cluster listen on 127.0.0.1 only
}

log = logging.getLogger(__name__)


class RayExecutor(Executor):
    """Actors that run tasks one after another: one a GPU, or one a CPU.

    Ray places and watches them, and the rules are those of all executors: it restarts and retries nothing by itself.
    Only tasks and records cross the network, so all nodes have to see the run's folder, the files that the
    configuration names and the driver's working directory under the same paths.

    Args:
        workers: how many tasks run at once.
        device: 'cpu', or 'cuda' for one GPU each.
        address: of a running cluster, as `ray.init` takes it; None starts one on this machine, without telemetry and
            without a port that others can reach.
        keep_going: whether new tasks start after one failed.

    Raises:
        ComponentError: Ray is not installed.
        ValueError: no worker, or another device.
    """

    def __init__(
        self, workers: int, device: str = "cpu", *, address: str | None = None, keep_going: bool = False
    ) -> None:
        require_extra("ray", "ray")
        if workers < 1 or device not in ("cpu", "cuda"):
            raise ValueError(
                f"RayExecutor: needs a worker and the device 'cpu' or 'cuda', got {workers} and '{device}'"
            )
        self._workers = workers
        self._device = device
        self._address = address
        self._keep_going = keep_going
        self._ray: Any = None
        self._is_our_connection = False

    def run(self, run: RunDirectory, stages: Sequence[Stage], tasks: Sequence[PlannedTask]) -> Iterator[Outcome]:
        """Runs tasks as `Executor.run` says.

        Raises:
            RunError: there is no cluster at the address, it was lost, or its workers cannot start.
        """
        schedule = Schedule(run, tasks, keep_going=self._keep_going)
        opened = OpenStages(run, stages, "cpu" if self._device == "cpu" else "cuda:0")
        if self._ray is None:
            self._ray = self._connected(run)
        with self._ray_errors(run):
            yield from _Actors(self._ray, self._new_actor(opened), min(self._workers, len(tasks))).run(schedule)

    def close(self) -> None:
        """Leaves the cluster, unless the caller's program was connected before; one of our own ends."""
        if self._ray is not None and self._is_our_connection:
            self._ray.shutdown()
        self._ray = None

    def _connected(self, run: RunDirectory) -> Any:  # noqa: ANN401
        try:
            return self._connect()
        except (OSError, RuntimeError) as error:  # nobody there; or another version of Ray or Python
            raise RunError(f"{run.root}: {self._lost(error)}") from error

    def _connect(self) -> Any:  # noqa: ANN401
        os.environ.update({name: value for name, value in _OURS.items() if name not in os.environ})
        import ray

        self._is_our_connection = not ray.is_initialized()
        if not self._is_our_connection:
            if self._address is not None:
                log.warning("this program is connected to a Ray cluster already; %s is not used", self._address)
            return ray
        quiet = {"log_to_driver": False, "configure_logging": False, "logging_level": logging.ERROR}
        if self._address is None:
            gpus = {"num_gpus": self._workers} if self._device == "cuda" else {}
            own = {"num_cpus": self._workers, "include_dashboard": False, "object_store_memory": _OBJECT_STORE}
            ray.init(address="local", **own, **gpus, **quiet)
        else:
            _probe(self._address)
            ray.init(address=self._address, **quiet)
        return ray

    def _new_actor(self, stages: OpenStages) -> Callable[[], Any]:
        """Returns a function that asks the cluster for one more worker."""
        gpus = {"num_gpus": 1} if self._device == "cuda" else {}
        one_thread = {"env_vars": dict.fromkeys(THREAD_LIMITS, "1")}
        options = {"num_cpus": 1, "max_restarts": 0, "max_task_retries": 0, "runtime_env": one_thread, **gpus}
        remote = self._ray.remote(**options)(RayWorker)
        folder = Path.cwd()
        return lambda: remote.remote(stages, folder)

    @contextmanager
    def _ray_errors(self, run: RunDirectory) -> Iterator[None]:
        """Says in the run's words that there is no cluster any more."""
        try:
            yield
        except Exception as error:
            if type(error).__module__.partition(".")[0] != "ray":
                raise
            raise RunError(f"{run.root}: {self._lost(error)}") from error

    def _lost(self, error: Exception) -> str:
        place = "on this machine" if self._address is None else f"at {self._address}"
        line = str(error).strip().partition("\n")[0]
        return f"the Ray cluster {place} cannot be reached ({line}); committed shards stay: run again to go on"


class RayWorker:
    """What an actor holds: the stages, opened once, in the driver's working directory."""

    def __init__(self, stages: OpenStages, folder: Path) -> None:
        os.chdir(folder)  # relative paths of the configuration are meant from there
        self._stages = stages

    def ready(self) -> int:
        """Says that it started; returns its process."""
        return os.getpid()

    def attempt(self, task: PlannedTask) -> Reply:
        """Runs one task and says what became of it."""
        return self._stages.attempt(task)


class _Actors:
    """The workers of one call of `run`; an actor gets a task only once it started, for some may have to wait long."""

    def __init__(self, ray: Any, new: Callable[[], Any], count: int) -> None:  # noqa: ANN401
        self._ray = ray
        self._new = new
        self._count = count
        self._starting: dict[Any, Any] = {}  # what says that it started: actor
        self._busy: dict[Any, tuple[Any, PlannedTask]] = {}  # the reply to come: actor and task
        self._idle: list[Any] = []
        self._last_alive = time.monotonic()  # when a worker said something
        self._patience = time.monotonic() + _PATIENCE

    def run(self, schedule: Schedule) -> Iterator[Outcome]:
        """Runs all tasks of a schedule."""
        try:
            for _ in range(self._count):
                self._start()
            while self._hand_out(schedule):
                for reply in self._wait():
                    outcome = self._collect(schedule, reply)
                    if outcome is not None:
                        yield outcome
        finally:
            for actor in [*self._starting.values(), *(actor for actor, _ in self._busy.values()), *self._idle]:
                self._ray.kill(actor)

    def _start(self) -> None:
        actor = self._new()
        self._starting[actor.ready.remote()] = actor

    def _hand_out(self, schedule: Schedule) -> bool:
        """Gives idle actors what may start; returns whether anything is under way or could be."""
        while self._idle and (task := schedule.next()):
            actor = self._idle.pop()
            self._busy[actor.attempt.remote(task)] = actor, task
        return bool(self._busy) or schedule.has_next

    def _wait(self) -> list[Any]:
        """Returns what came in; warns if workers cannot start for some time."""
        replies, _ = self._ray.wait([*self._starting, *self._busy], num_returns=1, timeout=_PATIENCE)
        if not self._starting:
            self._patience = time.monotonic() + _PATIENCE
        elif time.monotonic() > self._patience:
            log.warning("%d of %d workers wait for room in the cluster", len(self._starting), self._count)
            self._patience = time.monotonic() + 10 * _PATIENCE
        return list(replies)

    def _collect(self, schedule: Schedule, reply: Any) -> Outcome | None:  # noqa: ANN401
        """Takes what came in from an actor; one that died is replaced. None: nothing ended."""
        if reply in self._starting:
            self._started(reply)
            return None
        actor, task = self._busy.pop(reply)
        try:
            result: Reply = self._ray.get(reply)
        except self._ray.exceptions.RayError as error:
            self._ray.kill(actor)  # if it is only out of reach, what it commits yet is the same
            self._start()
            return schedule.died(task, _reason(error))
        self._idle.append(actor)
        self._last_alive = time.monotonic()
        return schedule.replied(task, result)

    def _started(self, reply: Any) -> None:  # noqa: ANN401
        actor = self._starting.pop(reply)
        try:
            self._ray.get(reply)
        except self._ray.exceptions.RayError as error:
            log.warning("a worker did not start: %s", _reason(error))
            if not self._busy and not self._idle:
                self._bear(error)
            self._start()
            return
        self._last_alive = time.monotonic()
        self._idle.append(actor)

    def _bear(self, error: Exception) -> None:
        """Waits a moment where nobody works: the cluster may just have lost nodes; gives up after a while."""
        if time.monotonic() - self._last_alive > _GIVE_UP:
            raise RunError(f"Ray workers cannot start: {_reason(error)}; committed shards stay") from error
        time.sleep(_PAUSE)


def _probe(address: str) -> None:
    """Raises OSError if nobody answers at 'host:port': Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    if host and port.isdigit() and "/" not in host:
        socket.create_connection((host, int(port)), timeout=_CONNECT).close()


def _reason(error: Exception) -> str:
    """Returns a line about an error; Ray's texts end with the exception of the worker, or with how it died."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[-1][:_LONGEST] if lines else ''}"
