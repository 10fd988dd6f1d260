"""What a shard of the dataset costs when it draws from many source shards: `python benchmarks/export_scale.py`.

    python benchmarks/export_scale.py [--identities 800]

The order of a dataset is a shuffle of all of it, so each exported shard needs the table of nearly each source shard,
and a worker keeps only those that fit its memory. Makes up a run of 50 candidates an identity with the columns of
rendered faces, embeddings of 512 numbers and images of 7 kB, and selects. Then it clocks reading all source tables for
one exported shard, and writing shards whose tables are in memory. A run of C candidates and S exported samples in
shards of n takes S / n times C times the first, but for the share of tables that are kept, and S times the second. The
last line is `candidate_us <x> sample_us <y>`: microseconds of CPU for each.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from select_scale import CANDIDATES, CONFIG, made_up_embeddings, made_up_numbers, write_shard

from pipelines.config import parse_config
from pipelines.plan import even_tasks, identity_tasks
from pipelines.run_directory import RunDirectory
from pipelines.schema import RunConfig
from pipelines.stages.export import Export
from pipelines.stages.select import Select
from pipelines.stages.source_shards import SourceShards
from synth.generators.base import TruthColumn
from synth.generators.rendered import Rendered
from synth.shards.manifest import ShardRecord, describe_files
from synth.shards.table import read_table
from synth.shards.tar import TarWriter

IMAGE_BYTES = 7000
LARGEST = 10_000  # rows of an exported shard

Columns = dict[str, npt.NDArray[Any]]


def make_run(run: RunDirectory, config: RunConfig) -> None:
    """Writes what `generate` and `measure` would have, and selects."""
    for task in identity_tasks(config.identities.count, config.images.identities_per_shard):
        rng = np.random.default_rng(task.shard)
        rows = (task.stop - task.start) * CANDIDATES
        keys: Columns = {
            "identity": np.repeat(np.arange(task.start, task.stop), CANDIDATES),
            "index": np.tile(np.arange(CANDIDATES, dtype=np.int32), task.stop - task.start),
        }
        made: Columns = {f"truth_{name}": made_up_truth(rng, column, rows) for name, column in Rendered.truth.items()}
        made |= {"seed": rng.integers(0, 2**62, rows), **{side: np.full(rows, 112) for side in ("width", "height")}}
        made |= {"tar_offset": np.zeros(rows, np.int64), "tar_size": np.ones(rows, np.int64)}
        write_shard(run.shard("generate", task.shard), task, keys | made)
        faces: Columns = {
            "score": rng.random(rows).astype(np.float32),
            "num_faces": np.ones(rows, np.int32),
            "box": rng.random((rows, 4)).astype(np.float32),
            "landmarks": rng.random((rows, 10)).astype(np.float32),
        }
        faces |= (
            made_up_numbers(rng, rows)
            | made_up_embeddings(rng, task)
            | made_up_images(rng, run.shard("measure", task.shard), keys)
        )
        write_shard(run.shard("measure", task.shard), task, keys | faces)
    stage, out = Select(config, run), run.shard("select", 0)
    out.mkdir(parents=True)
    whole = stage.tasks()[0]
    counts = stage.process(whole, out)
    ShardRecord(task=whole, fingerprint="made up", counts=counts, files=describe_files(out)).write(out)


def made_up_truth(rng: np.random.Generator, column: TruthColumn, rows: int) -> npt.NDArray[Any]:
    """Returns values of a truth column."""
    if column.dtype == "str":
        return np.array(["none", "short", "curly"])[rng.integers(0, 3, rows)]
    if column.dtype == "bool":
        return rng.random(rows) < 0.2
    return rng.standard_normal((rows, column.width) if column.width > 1 else rows).astype(column.dtype)


def made_up_images(rng: np.random.Generator, folder: Path, keys: Columns) -> Columns:
    """Writes the tar of aligned faces, with noise for pictures; returns where they are in it."""
    folder.mkdir(parents=True)
    pairs = zip(keys["identity"].tolist(), keys["index"].tolist(), strict=True)
    with TarWriter(folder / "aligned.tar") as tar:
        places = [tar.add(f"{identity:08d}_{index:04d}.jpg", rng.bytes(IMAGE_BYTES)) for identity, index in pairs]
    offsets, sizes = np.array(places, dtype=np.int64).T
    return {"aligned_offset": offsets, "aligned_size": sizes}


def microseconds(work: Callable[[], object]) -> float:
    """Returns what a call takes, in microseconds of CPU."""
    begun = time.process_time()
    work()
    return (time.process_time() - begun) * 1e6


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--identities", type=int, default=800)
    arguments: Any = parser.parse_args()
    settings = [f"identities.count={arguments.identities}", f"export.shard_size={LARGEST}"]
    config = parse_config(CONFIG, "export_scale.yaml", settings)
    with tempfile.TemporaryDirectory() as folder:
        run = RunDirectory(Path(folder) / "run")
        make_run(run, config)
        selection = read_table(run.shard("select", 0) / "selection.parquet", row_group=0)
        sources = SourceShards(run, config, most_bytes=0)
        candidate = microseconds(lambda: sources.columns(selection)) / (config.identities.count * CANDIDATES)
        stage = Export(config, run)
        stage.open("cpu")
        tasks = even_tasks(ShardRecord.read(run.shard("select", 0)).counts["kept"], LARGEST)
        samples = []
        for task in tasks:
            out = Path(folder) / f"export{task.shard}"
            out.mkdir()
            samples.append(microseconds(lambda task=task, out=out: stage.process(task, out)) / (task.stop - task.start))
    print(f"{len(tasks)} exported shards: {', '.join(f'{sample:.0f}' for sample in samples)} us a sample")
    print(f"candidate_us {candidate:.1f} sample_us {min(samples):.0f}")


if __name__ == "__main__":
    main()
