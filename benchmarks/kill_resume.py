"""Kills drivers and workers of toy runs at random moments and compares what comes out with an uninterrupted run.

    python benchmarks/kill_resume.py --kills 100

Each toy run is killed many times, then finished. A kill counts as mid-shard where an attempt of the killed process
was under way: for a worker the attempt whose files it had open, for a driver the attempts that are left over after
it and its workers are gone. The last line says how many samples were lost or doubled, and whether all files of all
finished runs are those of the uninterrupted run.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from synth.shards.tar import TarReader
from tests.toy import (
    CONFIG,
    STAGES,
    attempts,
    children,
    kill,
    run_toy,
    start_driver,
    survivors,
    tree,
    wait_for_attempt,
)

TOY = (
    CONFIG.replace("count: 10", "count: 36")
    .replace("size: 64", "size: 256")
    .replace("per_identity: 6", "per_identity: 12")
)
# How the kills of one run are spread over the stages, in their order.
PLAN = {"sample": 1, "generate": 4, "measure": 4, "select": 1, "export": 2}
LONGEST_WAIT = {"sample": 0.004, "generate": 0.5, "measure": 0.5, "select": 0.01, "export": 0.05}  # seconds


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


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "toy.yaml"
        config.write_text(TOY)
        reference = Path(folder) / "reference" / "toy"
        run_toy(reference, text=TOY)
        while tally.kills.total() < options.kills:
            run_dir = Path(folder) / f"run_{tally.runs}" / "toy"
            torture(config, run_dir, options.workers, chance, tally, options.kills)
            compare(reference, run_dir, tally)
            print(
                f"run {tally.runs}: {tally.kills.total()} kills so far, {tally.mid_shard.total()} mid-shard", flush=True
            )
    show(tally)


def torture(config: Path, run_dir: Path, workers: int, chance: random.Random, tally: Tally, most: int) -> None:
    """Kills one run again and again, then lets it finish."""
    process = start_driver(config, run_dir, "--workers", str(workers))
    for stage in [stage for stage, number in PLAN.items() for _ in range(number)]:
        if tally.kills.total() >= most or not wait_for_attempt(process, run_dir, stage):
            break
        time.sleep(chance.uniform(0, LONGEST_WAIT[stage]))
        staff = [child for child in children(process.pid) if is_worker(child[0])]
        if stage in ("generate", "measure") and staff and chance.random() < 0.4:
            kill_worker(chance.choice(staff)[0], tally)
            time.sleep(0.3)  # so that the next kill meets a replaced worker more often than not
        else:
            kill_driver(process, run_dir, tally)
            process = start_driver(config, run_dir, "--workers", str(workers))
    output, _ = process.communicate(timeout=300)
    while process.returncode != 0:
        if process.returncode > 0:
            raise RuntimeError(output)
        process = start_driver(config, run_dir, "--workers", str(workers))
        output, _ = process.communicate(timeout=300)
    tally.runs += 1


def kill_driver(process: subprocess.Popen[str], run_dir: Path, tally: Tally) -> None:
    """Kills a driver and waits until its workers are gone."""
    staff = children(process.pid)
    if process.poll() is not None:
        return
    process.kill()
    process.communicate()
    started = time.monotonic()
    tally.orphans += len(survivors(staff))
    tally.slowest_exit = max(tally.slowest_exit, time.monotonic() - started)
    _count("driver", {name.partition(".")[0] for name in attempts(run_dir)}, tally)


def kill_worker(pid: int, tally: Tally) -> None:
    """Kills a worker; its driver replaces it."""
    under_way = {stage for stage in STAGES if any(f"/scratch/{stage}." in name for name in open_files(pid))}
    if kill(pid):
        _count("worker", under_way, tally)


def _count(victim: str, under_way: set[str], tally: Tally) -> None:
    tally.kills[victim] += 1
    for stage in sorted(under_way)[:1]:
        tally.mid_shard[stage] += 1


def is_worker(pid: int) -> bool:
    """Returns whether a process runs tasks; Python's resource tracker is a child of the driver as well."""
    try:
        return "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return False


def open_files(pid: int) -> list[str]:
    """Returns the paths of a process's open files."""
    found = []
    for descriptor in Path(f"/proc/{pid}/fd").glob("*"):
        try:
            found.append(str(descriptor.readlink()))
        except OSError:
            continue
    return found


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


def show(tally: Tally) -> None:
    """Prints the outcome; the last line is the verdict."""
    stages = ", ".join(f"{stage} {tally.mid_shard[stage]}" for stage in STAGES)
    print(f"kills {tally.kills.total()}: of drivers {tally.kills['driver']}, of workers {tally.kills['worker']}")
    print(f"mid-shard {tally.mid_shard.total()}: {stages}")
    print(f"runs finished {tally.runs}")
    print(f"orphans {tally.orphans}; the last worker was gone {tally.slowest_exit:.2f} s after its driver")
    print(f"lost {tally.lost} doubled {tally.doubled} identical {tally.identical}")
    if tally.lost or tally.doubled or tally.orphans or not tally.identical:
        sys.exit(1)


if __name__ == "__main__":
    main()
