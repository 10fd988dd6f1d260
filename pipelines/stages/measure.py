"""Stage 3: what a recogniser sees in each image, and one number per filter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from filters.base import Filter
from pipelines.plan import identity_tasks, sample_key, slices
from pipelines.run_directory import RunDirectory, require_intact
from pipelines.schema import RunConfig
from pipelines.stage import Stage
from synth import components
from synth.images import decode_image, encode_jpeg
from synth.recognisers.base import Recogniser
from synth.shards.manifest import Task
from synth.shards.table import read_table, write_table
from synth.shards.tar import TarReader, TarWriter
from synth.similarity import centroids
from synth.types import FaceBatch

Columns = dict[str, npt.NDArray[Any]]


class Measure(Stage):
    """A task a shard of `generate`; writes aligned.tar, samples.parquet and centroids.npy.

    It reads the encoded images back, so it judges the pixels that a trainer will see. A filter sees all samples of
    an identity in one call.
    """

    name = "measure"
    unit = "images"
    uses_gpu = True

    def __init__(self, config: RunConfig, run: RunDirectory) -> None:
        self._config = config
        self._run = run
        self._recogniser: Recogniser | None = None
        self._filters: dict[str, Filter] = {}

    def tasks(self) -> list[Task]:
        """Returns the ranges of identities that `generate` has."""
        return identity_tasks(self._config.identities.count, self._config.images.identities_per_shard)

    def open(self, device: str) -> None:
        """Builds the recogniser and the filters."""
        self._recogniser = components.build(self._config.recogniser_spec, device)
        specs = zip(self._config.filter_names, self._config.filter_specs, strict=True)
        self._filters = {name: components.build(spec, device) for name, spec in specs}

    def process(self, task: Task, out: Path) -> dict[str, int]:
        """Measures the images of a range of identities, in groups of whole identities."""
        source = require_intact(self._run, "generate", task.shard)
        samples = read_table(source / "samples.parquet", ["identity", "index", "tar_offset", "tar_size"])
        vectors = np.load(require_intact(self._run, "sample", 0) / "vectors.npy", mmap_mode="r")
        images = self._config.images
        group = max(1, images.batch_size // images.per_identity) * images.per_identity
        groups: list[Columns] = []
        with TarReader(source / "images.tar") as tar, TarWriter(out / "aligned.tar") as aligned:
            for rows in slices(len(samples["identity"]), group):
                batch = self._recognise({name: column[rows] for name, column in samples.items()}, vectors, tar)
                groups.append(_face_columns(batch) | _store_aligned(aligned, batch) | self._measure(batch))
        columns = {name: np.concatenate([part[name] for part in groups]) for name in groups[0]}
        write_table(out / "samples.parquet", columns)
        np.save(out / "centroids.npy", centroids(columns["embedding"], columns["identity"]))
        return {self.unit: len(columns["found"]), "found": int(columns["found"].sum())}

    def _recognise(self, samples: Columns, vectors: npt.NDArray[np.float32], tar: TarReader) -> FaceBatch:
        assert self._recogniser is not None
        places = zip(samples["tar_offset"].tolist(), samples["tar_size"].tolist(), strict=True)
        images = np.stack([decode_image(tar.read(offset, size)) for offset, size in places])
        return FaceBatch(
            identities=samples["identity"],
            indices=samples["index"],
            vectors=np.asarray(vectors[samples["identity"]]),
            images=images,
            faces=self._recogniser.recognise(images),
        )

    def _measure(self, batch: FaceBatch) -> Columns:
        """Returns the number of each filter, float32 (B,) a column."""
        numbers: Columns = {}
        for name, component in self._filters.items():
            column = component.measure(batch)
            if column.dtype != np.float32 or column.shape != batch.identities.shape:
                raise ValueError(
                    f"filter {name}: expected float32 {batch.identities.shape}, got {column.dtype} {column.shape}"
                )
            numbers[name] = column
        return numbers


def _face_columns(batch: FaceBatch) -> Columns:
    faces = batch.faces
    return {
        "identity": batch.identities,
        "index": batch.indices,
        "found": faces.found,
        "score": faces.scores,
        "num_faces": faces.counts,
        "box": faces.boxes,
        "landmarks": faces.landmarks.reshape(len(faces.found), 10),
        "embedding": faces.embeddings.astype(np.float16),
    }


def _store_aligned(tar: TarWriter, batch: FaceBatch) -> Columns:
    """Encodes the aligned faces that were found; returns where they are, offset -1 where there is none."""
    offsets = np.full(len(batch.identities), -1, dtype=np.int64)
    sizes = np.zeros(len(batch.identities), dtype=np.int64)
    for row in np.flatnonzero(batch.faces.found).tolist():
        key = sample_key(int(batch.identities[row]), int(batch.indices[row]))
        offsets[row], sizes[row] = tar.add(f"{key}.jpg", encode_jpeg(batch.faces.aligned[row]))
    return {"aligned_offset": offsets, "aligned_size": sizes}
