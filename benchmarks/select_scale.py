"""Selects among millions of measured candidates and checks every decision: `python benchmarks/select_scale.py`.

    python benchmarks/select_scale.py [--rows 1000000] [--separate 2000]

Writes made-up tables of `generate` and `measure` as a run has them (50 candidates an identity, 200 identities a shard,
five filters, a twentieth of the identities so poor that they miss the minimum) and lets the stage decide on them in a
process of its own, without separation. Then a plain loop over all rows says what had to be decided, and every row of
both tables is compared. `--separate` identities of another run have embeddings, and a twentieth of them are twins: what
separation takes there is timed apart. Processor time is of the whole process, with its start and all its threads; the
last line is `rows <n> cpu_minutes <x> peak_gb <y> exact <True or False>`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from pipelines.config import parse_config
from pipelines.plan import identity_tasks
from pipelines.run_directory import RunDirectory, write_json
from pipelines.schema import RunConfig
from pipelines.stages.select import Select
from synth.shards.manifest import ShardRecord, Task, describe_files
from synth.shards.table import write_table

CANDIDATES, DIMENSION = 50, 512
CONFIG = """\
seed: 7
identities: {count: 200, sampler: {type: gaussian}}
generator: {type: rendered, size: 112, framing: aligned}
images: {per_identity: 50, identities_per_shard: 200}
recogniser: {type: yunet_sface}
filters:
  - {type: detection, min: 0.6}
  - {type: face_count, max: 1}
  - {type: resolution, min: 60}
  - {type: sharpness, min: 20}
  - {type: near_duplicate, max: 0.97}
selection: {images_per_identity: 40, min_images_per_identity: 20}
export: {type: webdataset, shard_size: 10000}
"""
PASSING = {"detection": 0.9, "face_count": 1.0, "resolution": 80.0, "sharpness": 60.0, "near_duplicate": 0.8}
FAILING = {"detection": 0.3, "face_count": 2.0, "resolution": 40.0, "sharpness": 9.0, "near_duplicate": 0.99}
DROP_RATES = {"detection": 0.03, "face_count": 0.01, "resolution": 0.04, "sharpness": 0.06, "near_duplicate": 0.05}
POOR_RATE = 0.7  # of all images of a poor identity fail on sharpness
MAX_SIMILARITY = 0.5

Columns = dict[str, npt.NDArray[Any]]
Row = tuple[Any, ...]  # identity, index, source_shard, kept, dropped_by, label and the filters' numbers


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took."""

    cpu_seconds: float
    peak_gb: float

    @classmethod
    def of_this_process(cls) -> Self:
        """Reads the processor time and the largest resident memory so far."""
        status = Path("/proc/self/status").read_text()
        kilobytes = int(status.partition("VmHWM:")[2].split()[0])
        return cls(time.process_time(), kilobytes / 1e6)


def make_run(folder: Path, identities: int, *, embedded: bool) -> tuple[RunDirectory, RunConfig]:
    """Writes the tables of a run that is measured, and nothing else of it."""
    config = parse_config(CONFIG, "select_scale.yaml", [f"identities.count={identities}"])
    run = RunDirectory(folder)
    for task in identity_tasks(identities, config.images.identities_per_shard):
        rng = np.random.default_rng(task.shard)
        rows = (task.stop - task.start) * CANDIDATES
        keys: Columns = {
            "identity": np.repeat(np.arange(task.start, task.stop), CANDIDATES),
            "index": np.tile(np.arange(CANDIDATES, dtype=np.int32), task.stop - task.start),
        }
        sizes = rng.integers(3000, 6000, rows)
        places: Columns = {"tar_offset": 512 + np.cumsum(sizes) - sizes, "tar_size": sizes}
        write_shard(run.shard("generate", task.shard), task, keys | places)
        faces = made_up_embeddings(rng, task) if embedded else {}
        write_shard(run.shard("measure", task.shard), task, keys | made_up_numbers(rng, rows) | faces)
    return run, config


def made_up_numbers(rng: np.random.Generator, rows: int) -> Columns:
    """Returns whether a face was found, and each filter's number: NaN where none was."""
    poor = np.repeat(rng.random(rows // CANDIDATES) < 0.05, CANDIDATES)
    found = rng.random(rows) > 0.02
    columns: Columns = {"found": found}
    for name, rate in DROP_RATES.items():
        fails = rng.random(rows) < np.where(poor & (name == "sharpness"), POOR_RATE, rate)
        spread = 1 if name == "face_count" else rng.uniform(0.98, 1.02, rows)
        numbers = np.where(fails, FAILING[name], PASSING[name]) * spread
        columns[name] = np.where(found, numbers, np.nan).astype(np.float32)
    return columns


def made_up_embeddings(rng: np.random.Generator, task: Task) -> Columns:
    """Returns an embedding a row; every twentieth identity of a shard is a twin of the one before."""
    centres = rng.standard_normal((task.stop - task.start, DIMENSION), dtype=np.float32)
    centres[1::20] = 0.8 * centres[0::20][: len(centres[1::20])] + 0.6 * centres[1::20]
    noise = rng.standard_normal((len(centres), CANDIDATES, DIMENSION), dtype=np.float32)
    embeddings = (centres[:, None] + noise).reshape(-1, DIMENSION)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    return {"embedding": embeddings.astype(np.float16)}


def write_shard(folder: Path, task: Task, columns: Columns) -> None:
    """Writes a shard's table and its record."""
    folder.mkdir(parents=True, exist_ok=True)
    write_table(folder / "samples.parquet", columns)
    files = describe_files(folder)
    ShardRecord(task=task, fingerprint="made up", counts={"images": len(columns["index"])}, files=files).write(folder)


def select(run: RunDirectory, config: RunConfig) -> Cost:
    """Runs the stage in a process of its own."""
    out = run.shard("select", 0)
    out.mkdir(parents=True, exist_ok=True)
    write_json(run.root / "config.json", config.model_dump())
    command = [sys.executable, __file__, "--child", str(run.root)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return Cost(**json.loads(done.stdout))


def child(root: Path) -> None:
    """Runs the stage here and prints what the process took."""
    config = RunConfig.model_validate_json((root / "config.json").read_text())
    run = RunDirectory(root)
    stage = Select(config, run)
    stage.process(stage.tasks()[0], run.shard("select", 0))
    cost = Cost.of_this_process()
    print(json.dumps({"cpu_seconds": cost.cpu_seconds, "peak_gb": cost.peak_gb}))


def plain_decisions(run: RunDirectory, config: RunConfig) -> Iterator[Row]:
    """Decides on one row after the other, as one would by hand, without separation."""
    label = 0
    for shard, folder in enumerate(run.shards("measure")):
        table = pq.read_table(folder / "samples.parquet", columns=["identity", "index", *config.filter_names])
        rows = list(zip(*(column.to_pylist() for column in table.columns), strict=True))
        for start in range(0, len(rows), CANDIDATES):
            members = rows[start : start + CANDIDATES]
            reasons = plain_reasons(members, config)
            for (identity, index, *numbers), reason in zip(members, reasons, strict=True):
                yield identity, index, shard, not reason, reason, -1 if reason else label, *numbers
            label += "" in reasons


def plain_reasons(members: list[Row], config: RunConfig) -> list[str]:
    """Returns what drops each row of one identity, '' for nothing."""
    reasons: list[str] = []
    for _, _, *numbers in members:
        failed = [
            name
            for name, section, number in zip(config.filter_names, config.filters, numbers, strict=True)
            if not (-np.inf if section.min is None else section.min)
            <= number
            <= (np.inf if section.max is None else section.max)
        ]
        full = reasons.count("") == config.selection.images_per_identity
        reasons.append(failed[0] if failed else "images_per_identity" if full else "")
    if reasons.count("") < config.selection.min_images_per_identity:
        reasons = [reason or "min_images_per_identity" for reason in reasons]
    return reasons


def is_exact(run: RunDirectory, config: RunConfig) -> bool:
    """Compares both tables of the stage with the plain decisions, row by row."""
    names = ["identity", "index", "source_shard", "kept", "dropped_by", "label", *config.filter_names]
    kept: dict[int, str] = {}  # texts of rows take a fifth of the memory of tuples
    found = stored_rows(run.shard("select", 0) / "decisions.parquet", names)
    for wanted, row in zip(plain_decisions(run, config), found, strict=True):
        if repr(wanted) != repr(row):  # as texts, since a NaN differs from itself
            print(f"decided {row}, expected {wanted}")
            return False
        if row[3]:
            kept[row[0] * CANDIDATES + row[1]] = repr((row[5], *row[:3], *row[6:]))
    before = -1
    for row in stored_rows(run.shard("select", 0) / "selection.parquet", ["label", *names[:3], *names[6:]]):
        text = f"{config.seed}/select/{row[1]:08d}_{row[2]:04d}"
        place = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
        if place < before or kept.pop(row[1] * CANDIDATES + row[2], None) != repr(row):
            print(f"selected {row}: out of order, twice, or not as decided")
            return False
        before = place
    return not kept


def stored_rows(path: Path, columns: list[str]) -> Iterator[Row]:
    """Yields the rows of a table one after the other."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=10_000, columns=columns):
            yield from zip(*(batch.column(name).to_pylist() for name in columns), strict=True)


def separation(folder: Path, identities: int) -> bool:
    """Prints what separation takes in addition; returns whether it drops the twins and nobody else."""
    run, config = make_run(folder, identities, embedded=True)
    without = select(run, config)
    passed = kept_identities(run)
    apart = config.selection.model_copy(update={"max_inter_class_similarity": MAX_SIMILARITY})
    cost = select(run, config.model_copy(update={"selection": apart}))
    twins = {identity for identity in passed if identity % 200 % 20 == 1 and identity - 1 in passed}
    print(
        f"separation of {len(passed):,} identities: {cost.cpu_seconds - without.cpu_seconds:.1f} CPU s more, "
        f"peak {cost.peak_gb:.2f} GB, {len(passed) - len(kept_identities(run)):,} dropped",
        flush=True,
    )
    return kept_identities(run) == passed - twins


def kept_identities(run: RunDirectory) -> set[int]:
    """Returns the identities in the selection."""
    path = run.shard("select", 0) / "selection.parquet"
    return set(pq.read_table(path, columns=["identity"]).column(0).unique().to_pylist())


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="candidates, a multiple of 50")
    parser.add_argument("--separate", type=int, default=2_000, help="identities with embeddings")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    arguments: Any = parser.parse_args()
    if arguments.child:
        child(arguments.child)
        return
    with tempfile.TemporaryDirectory() as folder:
        run, config = make_run(Path(folder) / "plain", arguments.rows // CANDIDATES, embedded=False)
        cost = select(run, config)
        print(f"{arguments.rows / cost.cpu_seconds:,.0f} rows a CPU second", flush=True)
        exact = separation(Path(folder) / "apart", arguments.separate) & is_exact(run, config)
    print(f"rows {arguments.rows} cpu_minutes {cost.cpu_seconds / 60:.2f} peak_gb {cost.peak_gb:.2f} exact {exact}")


if __name__ == "__main__":
    main()
