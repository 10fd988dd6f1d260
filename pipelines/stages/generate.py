"""Stage 2: images of each identity, encoded."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.plan import candidate_rows, identity_tasks, in_round, round_of, sample_key, slices
from pipelines.run_directory import RunDirectory, require_shard
from pipelines.schema import RunConfig
from pipelines.stage import Stage, TaskKey
from pipelines.stages.rounds import EarlierRounds
from synth import components
from synth.generators.base import Generator
from synth.images import encode_jpeg, encode_png
from synth.seeding import sample_seeds
from synth.shards.array import read_array
from synth.shards.manifest import Task
from synth.shards.table import write_table
from synth.shards.tar import TarWriter
from synth.types import Generated, Vectors

Columns = dict[str, npt.NDArray[Any]]


class Generate(Stage):
    """A task a group of whole identities; writes images.tar and samples.parquet.

    Batches are consecutive rows of the task, so the plan alone decides which samples share one. While the generator
    makes a batch, a thread encodes the one before, so that a GPU does not wait for JPEGs.
    """

    name = "generate"
    unit = "images"

    def __init__(self, config: RunConfig, run: RunDirectory) -> None:
        self._config = config
        self._run = run
        self._generator: Generator | None = None

    def tasks(self) -> list[Task]:
        """Returns ranges of identities, for each round."""
        images = self._config.images
        return identity_tasks(self._config.identities.count, images.identities_per_shard, images.max_rounds)

    def needs(self, task: Task) -> tuple[TaskKey, ...]:
        """Returns the measured shard of the round before, which tells who is short; the first round needs nothing."""
        number = round_of(task.shard)
        return (TaskKey("measure", in_round(task.shard, number - 1)),) if number else ()

    def open(self, device: str) -> None:
        """Builds the generator."""
        self._generator = components.build(self._config.generator_spec, device)

    def process(self, task: Task, out: Path) -> dict[str, int]:
        """Generates and encodes images of a range of identities; in later rounds, of those that are short of some."""
        images = self._config.images
        wanted = self._identities(task)
        if not len(wanted):
            return {self.unit: 0, "identities": 0}
        identities, indices = candidate_rows(wanted, images.per_identity, round_of(task.shard))
        seeds = sample_seeds(self._config.seed, self.name, identities, indices)
        vectors = read_array(require_shard(self._run, "sample", 0) / "vectors.npy")
        batches: list[Future[Columns]] = []
        with TarWriter(out / "images.tar") as tar, ThreadPoolExecutor(1) as encoder:
            for rows in slices(len(identities), images.batch_size):
                generated = self._generate(np.asarray(vectors[identities[rows]]), indices[rows], seeds[rows])
                if batches:
                    batches[-1].result()  # at most one batch waits, and its errors come to light
                batches.append(encoder.submit(self._store, tar, generated, identities[rows], indices[rows]))
        stored = [batch.result() for batch in batches]
        columns: Columns = {"identity": identities, "index": indices, "seed": seeds.astype(np.int64)}
        columns |= {name: np.concatenate([batch[name] for batch in stored]) for name in stored[0]}
        write_table(out / "samples.parquet", columns)
        return {self.unit: len(identities), "identities": len(wanted)}

    def _identities(self, task: Task) -> npt.NDArray[np.int64]:
        """Returns the identities that a task makes images of, increasing."""
        if round_of(task.shard):
            return EarlierRounds(self._run, self._config, task.shard).short()
        return np.arange(task.start, task.stop, dtype=np.int64)

    def _generate(self, vectors: Vectors, indices: npt.NDArray[np.int32], seeds: npt.NDArray[np.uint64]) -> Generated:
        """Calls the generator and checks that it gave what its class declares."""
        generator = self._generator
        assert generator is not None
        generated = generator.generate(vectors, indices, seeds)
        name = type(generator).__name__
        if len(generated.images) != len(vectors):
            raise ValueError(f"{name}: {len(generated.images)} images for {len(vectors)} vectors")
        if set(generated.truth) != set(generator.truth):
            raise ValueError(f"{name}: truth columns {sorted(generated.truth)}, declared {sorted(generator.truth)}")
        for column, declared in generator.truth.items():
            declared.check(f"{name}.truth[{column!r}]", generated.truth[column])
        return generated

    def _store(
        self, tar: TarWriter, generated: Generated, identities: npt.NDArray[np.int64], indices: npt.NDArray[np.int32]
    ) -> Columns:
        """Encodes images into the tar; returns where they are, how large, and the generator's truth."""
        extension = self._config.image_extension
        keys = [sample_key(i, k) for i, k in zip(identities.tolist(), indices.tolist(), strict=True)]
        places = [
            tar.add(f"{key}.{extension}", self._encode(image))
            for key, image in zip(keys, generated.images, strict=True)
        ]
        count, height, width = generated.images.shape[:3]
        columns: Columns = {
            "tar_offset": np.array([offset for offset, _ in places], dtype=np.int64),
            "tar_size": np.array([size for _, size in places], dtype=np.int64),
            "width": np.full(count, width, dtype=np.int32),
            "height": np.full(count, height, dtype=np.int32),
        }
        return columns | {f"truth_{name}": column for name, column in generated.truth.items()}

    def _encode(self, image: npt.NDArray[np.uint8]) -> bytes:
        if self._config.images.encoding == "png":
            return encode_png(image)
        return encode_jpeg(image, self._config.images.quality)
