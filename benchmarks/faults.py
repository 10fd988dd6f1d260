"""Kills what works on toy runs at random moments, then makes every other fault we know of, and judges how each ends.

    python benchmarks/faults.py --kills 200

Two thirds of the kills are of drivers and workers on this machine, the others of drivers, actors and nodes of a Ray
cluster; kill_resume.py says what counts. A table follows, a line for each other fault: it has to end in a clear error
or in a correct result, which the fault's own code in tests/faults judges. The last line says how many samples the
killed runs lost or doubled and whether all their files are those of an uninterrupted run; or that faults ended badly.
"""

from __future__ import annotations

import argparse
import logging
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from parts.killing import TOY, Staff, Tally, compare, ray_staff, show, torture

from tests.faults import file_cases, machine_cases
from tests.faults.outcome import BadOutcomeError, Case, SkippedError
from tests.toy import run_toy


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--configurations", type=int, default=1000, help="altered configurations to judge")
    parser.add_argument("--damages", type=int, default=40, help="damaged shards to find and mend")
    parser.add_argument("--files-only", action="store_true", help="in the table, leave out the faults of the machine")
    options = parser.parse_args()
    tally = Tally()
    kill_everything(options.kills, options.workers, random.Random(options.seed), tally)
    show(tally)
    cases = ({} if options.files_only else machine_cases.CASES) | file_cases.CASES
    cases["altered configurations"] = partial(file_cases.altered_configurations, number=options.configurations)
    cases["torn and bit-flipped shards"] = partial(file_cases.damaged_shards, damages_to_try=options.damages)
    bad = [name for name, case in cases.items() if not ends_well(name, case)]
    if bad:
        print(f"{len(bad)} faults ended badly: {', '.join(bad)}")
        sys.exit(1)
    print(tally.verdict)
    sys.exit(0 if tally.is_well else 1)


def kill_everything(kills: int, workers: int, chance: random.Random, tally: Tally) -> None:
    """Kills on this machine, then on a Ray cluster where Ray is installed."""
    has_ray = find_spec("ray") is not None
    local = kills - kills // 3 if has_ray else kills
    with tempfile.TemporaryDirectory() as folder:
        reference = Path(folder) / "reference" / "toy"
        run_toy(reference, text=TOY)
        kill_until(local, Staff(workers), Path(folder), chance, tally)
        if not has_ray:
            print("kills on Ray skipped: ray is not installed")
        elif kills > local:
            with ray_staff(workers) as staff:
                kill_until(kills, staff, Path(folder), chance, tally)


def kill_until(kills: int, staff: Staff, folder: Path, chance: random.Random, tally: Tally) -> None:
    """Makes runs whose workers are killed, until the tally has so many kills; compares each with the reference."""
    config = folder / "toy.yaml"
    config.write_text(TOY)
    while tally.kills.total() < kills:
        run_dir = folder / f"run_{tally.runs}" / "toy"
        torture(config, run_dir, staff, chance, tally, kills)
        compare(folder / "reference" / "toy", run_dir, tally)
        print(f"run {tally.runs} ({staff.name}): {tally.kills.total()} kills so far", flush=True)


def ends_well(name: str, case: Case) -> bool:
    """Makes a fault and prints how it ended; returns whether that is well."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, quiet():
        try:
            outcome, is_well = case(Path(folder)), True
        except SkippedError as reason:
            outcome, is_well = f"skipped: {reason}", True
        except BadOutcomeError as error:
            outcome, is_well = f"BAD: {error}", False
    print(f"{name:<38} {time.monotonic() - started:5.1f} s  {outcome}", flush=True)
    return is_well


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps what runs in this process log off the terminal."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


if __name__ == "__main__":
    main()
