"""Faces as `measure` stores them: written by it, and read back when a filter is added later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.file_hashes import FileHashes
from pipelines.fingerprint import fingerprints, made_from_same_faces, unchanged_filters
from pipelines.run_directory import MEASURE_BEFORE, RunDirectory
from pipelines.schema import RunConfig
from synth.images import decode_image, encode_jpeg
from synth.shards.manifest import ShardRecord, Task
from synth.shards.table import read_table
from synth.shards.tar import TarReader
from synth.similarity import unit
from synth.types import ALIGNED_SIZE, Faces

Columns = dict[str, npt.NDArray[Any]]

_COLUMNS = ("found", "score", "num_faces", "box", "landmarks", "embedding")


@dataclass(frozen=True, slots=True)
class StoredFaces:
    """Faces of a group of samples, as the files of `measure` hold them.

    Attributes:
        columns: of samples.parquet, (B,) and (B, K): found, score, num_faces, box, landmarks, embedding (float16).
        crops: the aligned faces as JPEG; empty where no face was found.
        numbers: of filters that were measured before, float32 (B,) by name.
    """

    columns: Columns
    crops: list[bytes]
    numbers: Columns = field(default_factory=dict)

    @classmethod
    def of(cls, faces: Faces) -> StoredFaces:
        """Returns how faces are stored."""
        columns: Columns = {
            "found": faces.found,
            "score": faces.scores,
            "num_faces": faces.counts,
            "box": faces.boxes,
            "landmarks": faces.landmarks.reshape(len(faces.found), 10),
            "embedding": faces.embeddings.astype(np.float16),
        }
        pairs = zip(faces.found.tolist(), faces.aligned, strict=True)
        return cls(columns, [encode_jpeg(image) if found else b"" for found, image in pairs])

    @classmethod
    def joined(cls, parts: Sequence[StoredFaces]) -> StoredFaces:
        """Returns the faces of several groups one after the other, without numbers."""
        columns = {name: np.concatenate([part.columns[name] for part in parts]) for name in _COLUMNS}
        return cls(columns, [crop for part in parts for crop in part.crops])

    def take(self, rows: npt.NDArray[np.int64]) -> StoredFaces:
        """Returns the faces of some rows, int64 (N,), in their order, without numbers."""
        return StoredFaces(
            {name: column[rows] for name, column in self.columns.items()}, [self.crops[row] for row in rows.tolist()]
        )

    def faces(self) -> Faces:
        """Returns the faces as they come back from the files."""
        size = ALIGNED_SIZE
        aligned = np.zeros((len(self.crops), size, size, 3), dtype=np.uint8)
        for row, crop in enumerate(self.crops):
            if crop:
                aligned[row] = decode_image(crop)
        return Faces(
            found=self.columns["found"],
            scores=self.columns["score"],
            counts=self.columns["num_faces"],
            boxes=self.columns["box"],
            landmarks=self.columns["landmarks"].reshape(-1, 5, 2),
            aligned=aligned,
            embeddings=unit(self.columns["embedding"]),
        )


@dataclass(frozen=True, slots=True)
class StoredShard:
    """A shard of `measure` that is read back.

    Attributes:
        path: of the shard.
        table: the columns of its faces, and those of `filters`.
        filters: whose numbers are read as well.
    """

    path: Path
    table: Mapping[str, npt.NDArray[Any]]
    filters: Sequence[str]

    @classmethod
    def read(cls, path: Path, filters: Sequence[str] = ()) -> StoredShard:
        """Reads the table of a shard."""
        names = [*_COLUMNS, "aligned_offset", "aligned_size", *filters]
        return cls(path, read_table(path / "samples.parquet", names), filters)

    def rows(self, rows: slice) -> StoredFaces:
        """Returns the stored faces of a range of samples."""
        places = zip(
            self.table["aligned_offset"][rows].tolist(), self.table["aligned_size"][rows].tolist(), strict=True
        )
        with TarReader(self.path / "aligned.tar") as tar:
            crops = [tar.read(offset, size) if offset >= 0 else b"" for offset, size in places]
        columns = {name: self.table[name][rows] for name in _COLUMNS}
        return StoredFaces(columns, crops, {name: self.table[name][rows] for name in self.filters})


@dataclass(frozen=True, slots=True)
class EarlierMeasurement:
    """A former `measure` of the same images by the same recogniser, with other filters."""

    run: RunDirectory
    digest: str
    filters: list[str]

    @classmethod
    def find(cls, run: RunDirectory, config: RunConfig) -> EarlierMeasurement | None:
        """Returns the one the run has set aside, None if there is none."""
        made_with = run.made_with(MEASURE_BEFORE)
        if made_with is None:
            return None
        wanted = fingerprints(config, FileHashes(run.hashes))
        if not made_from_same_faces(made_with, wanted):
            return None
        return cls(run, made_with[0], unchanged_filters(made_with[1], wanted["measure"].inputs, config.filter_names))

    def shard(self, task: Task) -> StoredShard | None:
        """Returns the shard of a task, None if it was not measured."""
        path = self.run.shard(MEASURE_BEFORE, task.shard)
        if not path.is_dir():
            return None
        record = ShardRecord.read(path)
        digests = replace(self.run.digests("measure"), stage=self.digest)
        if record.task != task or record.fingerprint != digests.of(task.shard):
            return None
        return StoredShard.read(path, self.filters)
