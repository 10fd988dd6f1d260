"""Kills what works on a run at random moments, and compares what comes out with an uninterrupted run."""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from synth.shards.tar import TarReader
from tests.toy import CONFIG, STAGES, attempts, children, kill, start_driver, survivors, tree, wait_for_attempt

TOY = (
    CONFIG.replace("count: 10", "count: 36")
    .replace("size: 64", "size: 256")
    .replace("per_identity: 6", "per_identity: 12")
)
LONGEST_WAIT = {"sample": 0.004, "generate": 0.5, "measure": 0.5, "select": 0.01, "export": 0.05}  # seconds
_LONGEST_RUN = 600  # seconds of a toy run, on a machine with other work


class Staff:
    """Who runs the tasks of a driver: worker processes of its own.

    Attributes:
        name: for the tally.
        arguments: of `synth run`.
        plan: how the kills of one run are spread over the stages, in their order.
        patience: seconds in which the workers of a killed driver have to be gone.
        longest_start: seconds from the start of a driver to the first attempt of a stage.
    """

    name = "local"
    plan: Mapping[str, int] = {"sample": 1, "generate": 4, "measure": 4, "select": 1, "export": 2}
    patience = 10.0
    longest_start = 60.0

    def __init__(self, workers: int) -> None:
        self.arguments: tuple[str, ...] = ("--workers", str(workers))

    def of(self, driver: int) -> list[tuple[int, str]]:
        """Returns the workers of a driver, as (pid, start time)."""
        return [child for child in children(driver) if "spawn_main" in _command_line(child[0])]

    def kill_one(self, driver: int, chance: random.Random, tally: Tally) -> bool:
        """Kills a worker, which its driver replaces; returns whether there was one."""
        staff = self.of(driver)
        if not staff:
            return False
        pid = chance.choice(staff)[0]
        under_way = {stage for stage in STAGES if any(f"/scratch/{stage}." in name for name in open_files(pid))}
        if kill(pid):
            tally.count(f"{self.name} worker", under_way)
        return True


class RayStaff(Staff):
    """Actors on nodes of a Ray cluster on this machine; a killed node is followed by a new one."""

    name = "ray"
    plan: Mapping[str, int] = {"sample": 1, "generate": 3, "measure": 2, "export": 1}
    patience = 60.0
    longest_start = 300.0

    def __init__(self, cluster: Any, workers: int) -> None:  # noqa: ANN401
        super().__init__(workers)
        self.arguments = (*self.arguments, "--executor", "ray", "--ray-address", cluster.address)
        self._cluster = cluster
        self._nodes = [self._new_node() for _ in range(workers)]

    def of(self, driver: int) -> list[tuple[int, str]]:
        """Returns the actors: one driver at a time is at work, and they are the children of the nodes."""
        staff = [actor for node in children(os.getpid()) for actor in children(node[0])]
        return [actor for actor in staff if "RayWorker" in _command_line(actor[0])]

    def kill_one(self, driver: int, chance: random.Random, tally: Tally) -> bool:
        """Kills an actor or the node of one."""
        if chance.random() < 0.6:
            return super().kill_one(driver, chance, tally)
        node = self._nodes.pop(chance.randrange(len(self._nodes)))
        for started in [started for kind in node.all_processes.values() for started in kind]:
            started.process.kill()
            started.process.wait()
        self._cluster.worker_nodes.remove(node)
        tally.count("ray node", set())
        self._nodes.append(self._new_node())
        return True

    def _new_node(self) -> Any:  # noqa: ANN401
        return self._cluster.add_node(num_cpus=1, object_store_memory=10**8)


@contextmanager
def ray_staff(workers: int) -> Iterator[RayStaff]:
    """Yields the staff of a cluster that is there until the `with` block ends."""
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": 10**8}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        yield RayStaff(cluster, workers)
    finally:
        cluster.shutdown()


@dataclass
class Tally:
    """What happened so far."""

    kills: Counter[str] = field(default_factory=Counter)
    mid_shard: Counter[str] = field(default_factory=Counter)
    orphans: int = 0
    slowest_exit: float = 0.0
    runs: int = 0
    lost: int = 0
    doubled: int = 0
    identical: bool = True

    def count(self, victim: str, under_way: set[str]) -> None:
        """Counts a kill, and the stage whose attempt it met."""
        self.kills[victim] += 1
        for stage in sorted(under_way)[:1]:
            self.mid_shard[stage] += 1

    @property
    def verdict(self) -> str:
        """The line that says whether all is well."""
        return f"lost {self.lost} doubled {self.doubled} identical {self.identical}"

    @property
    def is_well(self) -> bool:
        """Whether all runs ended as if nothing had happened."""
        return self.identical and not (self.lost or self.doubled or self.orphans)


def torture(config: Path, run_dir: Path, staff: Staff, chance: random.Random, tally: Tally, most: int) -> None:
    """Kills one run again and again, until the tally has `most` kills, then lets it finish."""
    process = start_driver(config, run_dir, *staff.arguments)
    for stage in [stage for stage, number in staff.plan.items() for _ in range(number)]:
        if tally.kills.total() >= most or not wait_for_attempt(process, run_dir, stage, staff.longest_start):
            break
        time.sleep(chance.uniform(0, LONGEST_WAIT[stage]))
        meets_staff = stage in ("generate", "measure") and chance.random() < 0.4
        if meets_staff and staff.kill_one(process.pid, chance, tally):
            time.sleep(0.3)  # so that the next kill meets a replaced worker more often than not
        else:
            _kill_driver(process, run_dir, staff, tally)
            process = start_driver(config, run_dir, *staff.arguments)
    output, _ = process.communicate(timeout=_LONGEST_RUN)
    while process.returncode != 0:
        if process.returncode > 0:
            raise RuntimeError(output)
        process = start_driver(config, run_dir, *staff.arguments)
        output, _ = process.communicate(timeout=_LONGEST_RUN)
    tally.runs += 1


def _kill_driver(process: subprocess.Popen[str], run_dir: Path, staff: Staff, tally: Tally) -> None:
    """Kills a driver and waits until its workers are gone."""
    workers = staff.of(process.pid)
    if process.poll() is not None:
        return
    process.kill()
    process.communicate()
    started = time.monotonic()
    tally.orphans += len(survivors(workers, staff.patience))
    tally.slowest_exit = max(tally.slowest_exit, time.monotonic() - started)
    tally.count(f"{staff.name} driver", {name.partition(".")[0] for name in attempts(run_dir)})


def compare(reference: Path, run_dir: Path, tally: Tally) -> None:
    """Compares a finished run with the uninterrupted one."""
    wanted, found = Counter(keys(reference)), Counter(keys(run_dir))
    tally.lost += len(set(wanted) - set(found))
    tally.doubled += sum(number - 1 for number in found.values() if number > 1)
    is_identical = tree(reference) == tree(run_dir) and not (run_dir / "scratch").exists()
    tally.identical = tally.identical and is_identical


def keys(run_dir: Path) -> list[str]:
    """Returns the keys of all samples of a dataset."""
    found = []
    for path in sorted((run_dir / "dataset").glob("*.tar")):
        with TarReader(path) as tar:
            found += [sample["__key__"] for sample in tar.samples()]
    return found


def open_files(pid: int) -> list[str]:
    """Returns the paths of a process's open files."""
    found = []
    for descriptor in Path(f"/proc/{pid}/fd").glob("*"):
        try:
            found.append(str(descriptor.readlink()))
        except OSError:
            continue
    return found


def show(tally: Tally) -> None:
    """Prints what was killed, when, and what was left over."""
    victims = ", ".join(f"{number} {victim}s" for victim, number in sorted(tally.kills.items()))
    stages = ", ".join(f"{stage} {tally.mid_shard[stage]}" for stage in STAGES)
    print(f"kills {tally.kills.total()}: {victims}")
    print(f"mid-shard {tally.mid_shard.total()}: {stages}")
    print(f"runs finished {tally.runs}")
    print(f"orphans {tally.orphans}; the last worker was gone {tally.slowest_exit:.2f} s after its driver")


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""
