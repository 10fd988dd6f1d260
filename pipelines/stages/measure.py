"""Stage 3: what a recogniser sees in each image, and one number per filter."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from filters.base import Filter
from pipelines.plan import identity_tasks, round_of, sample_key, slices
from pipelines.run_directory import RunDirectory, require_shard
from pipelines.schema import RunConfig
from pipelines.stage import Stage, TaskKey
from pipelines.stages.rounds import Candidates, EarlierRounds, has_candidates
from pipelines.stages.stored_faces import EarlierMeasurement, StoredFaces
from synth import components
from synth.errors import ShardError
from synth.images import decode_image
from synth.recognisers.base import Recogniser
from synth.shards.array import read_array, write_array
from synth.shards.manifest import Task
from synth.shards.table import read_table, write_table
from synth.shards.tar import TarReader, TarWriter
from synth.similarity import centroids
from synth.types import FaceBatch, Images

Columns = dict[str, npt.NDArray[Any]]


class Measure(Stage):
    """A task a shard of `generate`; writes aligned.tar, samples.parquet and centroids.npy.

    It reads the encoded images back, so it judges the pixels that a trainer will see. A filter sees all samples of
    an identity in one call, in later rounds those of earlier rounds as well, and faces as they are stored:
    half-precision embeddings and decoded crops. So a filter that is added later measures the same numbers from the
    files, without the recogniser.
    """

    name = "measure"
    unit = "images"

    def __init__(self, config: RunConfig, run: RunDirectory) -> None:
        self._config = config
        self._run = run
        self._device = ""
        self._recogniser: Recogniser | None = None
        self._filters: dict[str, Filter] = {}
        self._earlier: EarlierMeasurement | None = None

    def tasks(self) -> list[Task]:
        """Returns the ranges of identities that `generate` has, for each round."""
        images = self._config.images
        return identity_tasks(self._config.identities.count, images.identities_per_shard, images.max_rounds)

    def needs(self, task: Task) -> tuple[TaskKey, ...]:
        """Returns the generated shard that a task measures."""
        return (TaskKey("generate", task.shard),)

    def open(self, device: str) -> None:
        """Builds the filters and, unless faces were recognised before, the recogniser."""
        self._device = device
        self._earlier = EarlierMeasurement.find(self._run, self._config)
        specs = zip(self._config.filter_names, self._config.filter_specs, strict=True)
        self._filters = {name: components.build(spec, device) for name, spec in specs}
        if self._earlier is None:
            self._recogniser = components.build(self._config.recogniser_spec, device)

    def process(self, task: Task, out: Path) -> dict[str, int]:
        """Measures the images of a range of identities, in groups of whole identities."""
        source = require_shard(self._run, "generate", task.shard)
        if not has_candidates(self._run, task.shard):
            return {self.unit: 0, "found": 0}
        samples = read_table(source / "samples.parquet", ["identity", "index", "tar_offset", "tar_size"])
        if (samples["tar_size"] == 0).any():
            raise ShardError(
                f"{source}: `synth clean` freed images in it, it cannot be measured; remove it and run again: "
                "then it is generated and measured anew"
            )
        earlier = self._earlier.shard(task) if self._earlier else None
        before = EarlierRounds(self._run, self._config, task.shard) if round_of(task.shard) else None
        images = self._config.images
        group = max(1, images.batch_size // images.per_identity) * images.per_identity
        groups: list[Columns] = []
        with TarReader(source / "images.tar") as tar, TarWriter(out / "aligned.tar") as aligned:
            for rows in slices(len(samples["identity"]), group):
                part = {name: column[rows] for name, column in samples.items()}
                faces = earlier.rows(rows) if earlier else None
                groups.append(self._measure_group(part, tar, aligned, faces, before))
        columns = {name: np.concatenate([part[name] for part in groups]) for name in groups[0]}
        write_table(out / "samples.parquet", columns)
        write_array(out / "centroids.npy", centroids(columns["embedding"], columns["identity"]))
        return {self.unit: len(columns["found"]), "found": int(columns["found"].sum())}

    def _measure_group(
        self,
        samples: Columns,
        tar: TarReader,
        aligned: TarWriter,
        earlier: StoredFaces | None,
        before: EarlierRounds | None,
    ) -> Columns:
        """Returns all columns of a group of whole identities, and stores its aligned faces."""
        places = zip(samples["tar_offset"].tolist(), samples["tar_size"].tolist(), strict=True)
        images = np.stack([decode_image(tar.read(offset, size)) for offset, size in places])
        stored = earlier or self._recognise(images)
        seen = Candidates(identities=samples["identity"], indices=samples["index"], images=images, faces=stored)
        is_new = np.ones(len(images), dtype=np.bool_)
        if before is not None:
            seen, is_new = before.together_with(seen)
        vectors = read_array(require_shard(self._run, "sample", 0) / "vectors.npy")
        batch = FaceBatch(
            identities=seen.identities,
            indices=seen.indices,
            vectors=np.asarray(vectors[seen.identities]),
            images=seen.images,
            faces=seen.faces.faces(),
        )
        keys = [sample_key(i, k) for i, k in zip(samples["identity"].tolist(), samples["index"].tolist(), strict=True)]
        columns = {"identity": samples["identity"], "index": samples["index"]} | stored.columns
        return columns | _store_crops(aligned, keys, stored.crops) | self._measure(batch, is_new, stored.numbers)

    def _recognise(self, images: Images) -> StoredFaces:
        if self._recogniser is None:
            self._recogniser = components.build(self._config.recogniser_spec, self._device)
        return StoredFaces.of(self._recogniser.recognise(images))

    def _measure(self, batch: FaceBatch, is_new: npt.NDArray[np.bool_], known: Columns) -> Columns:
        """Returns the number of each filter for the new candidates of a batch; known ones are not measured again."""
        numbers: Columns = {}
        for name, component in self._filters.items():
            if name in known:
                numbers[name] = known[name]
                continue
            column = component.measure(batch)
            if column.dtype != np.float32 or column.shape != batch.identities.shape:
                raise ValueError(
                    f"filter {name}: expected float32 {batch.identities.shape}, got {column.dtype} {column.shape}"
                )
            if np.isinf(column).any():
                raise ValueError(f"filter {name}: measured an infinite number; where it cannot tell, it returns NaN")
            numbers[name] = column[is_new]
        return numbers


def _store_crops(tar: TarWriter, keys: Sequence[str], crops: Sequence[bytes]) -> Columns:
    """Stores the encoded faces that were found; returns where they are, offset -1 where there is none."""
    offsets = np.full(len(keys), -1, dtype=np.int64)
    sizes = np.zeros(len(keys), dtype=np.int64)
    for row, (key, crop) in enumerate(zip(keys, crops, strict=True)):
        if crop:
            offsets[row], sizes[row] = tar.add(f"{key}.jpg", crop)
    return {"aligned_offset": offsets, "aligned_size": sizes}
