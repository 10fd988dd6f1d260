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
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from parts.killing import TOY, Staff, Tally, compare, show, torture

from tests.toy import run_toy


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
            torture(config, run_dir, Staff(options.workers), chance, tally, options.kills)
            compare(reference, run_dir, tally)
            print(
                f"run {tally.runs}: {tally.kills.total()} kills so far, {tally.mid_shard.total()} mid-shard", flush=True
            )
    show(tally)
    print(tally.verdict)
    sys.exit(0 if tally.is_well else 1)


if __name__ == "__main__":
    main()
