"""Stage 5: the kept samples, shuffled, in the shards that trainers read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.plan import even_tasks, sample_key
from pipelines.run_directory import RunDirectory, require_shard
from pipelines.schema import RunConfig
from pipelines.stage import Stage
from pipelines.stages.source_shards import SourceShards
from synth import components
from synth.exporters.base import SIDECAR, Exporter, Sample
from synth.shards.manifest import ShardRecord, Task
from synth.shards.table import read_table, write_table
from synth.shards.tar import TarReader

Columns = dict[str, npt.NDArray[Any]]

# Left to the sidecar table: numbers of storage, not of faces.
_STORAGE = ("source_shard", "tar_offset", "tar_size", "aligned_offset", "aligned_size", "width", "height", "found")


class Export(Stage):
    """A task a row group of the selection; writes the exporter's files and the sidecar table samples.parquet.

    Encoded images pass through byte for byte.
    """

    name = "export"
    unit = "samples"

    def __init__(self, config: RunConfig, run: RunDirectory) -> None:
        self._config = config
        self._run = run
        self._exporter: Exporter | None = None
        self._sources = SourceShards(run, config)

    def tasks(self) -> list[Task]:
        """Returns the row groups of the selection, as ranges of its rows."""
        kept = ShardRecord.read(require_shard(self._run, "select", 0)).counts["kept"]
        return even_tasks(kept, self._config.export.shard_size)

    def open(self, device: str) -> None:
        """Builds the exporter."""
        self._exporter = components.build(self._config.exporter_spec, device)

    def process(self, task: Task, out: Path) -> dict[str, int]:
        """Writes one shard of the dataset."""
        assert self._exporter is not None
        selection = read_table(self._run.shard("select", 0) / "selection.parquet", row_group=task.shard)
        table = selection | self._sources.columns(selection)
        self._exporter.write_shard(self._samples(table), task.shard, out)
        write_table(out / SIDECAR, {name: column for name, column in table.items() if name not in _STORAGE})
        return {self.unit: task.stop - task.start}

    def _samples(self, table: Columns) -> Iterator[Sample]:
        """Yields the samples of a table's rows, in their order."""
        extension = "jpg" if self._config.export.crop == "aligned" else self._config.image_extension
        images = self._images(table)
        metadata = self._metadata_columns(table)
        for row, image in enumerate(images):
            yield Sample(
                key=sample_key(int(table["identity"][row]), int(table["index"][row])),
                label=int(table["label"][row]),
                image=image,
                extension=extension,
                metadata={name: column[row] for name, column in metadata.items()}
                | {"synthetic": True, "generator": self._config.generator.type},
            )

    def _metadata_columns(self, table: Columns) -> Columns:
        """Returns what goes into each sample's metadata: names, seed, filters' numbers and the generator's truth."""
        names = ["identity", "index", "label", "seed", *self._config.filter_names]
        names += [name for name in table if name.startswith("truth_")]
        return {name.removeprefix("truth_"): table[name] for name in names}

    def _images(self, table: Columns) -> list[bytes]:
        """Reads the encoded images of a table's rows, a source shard at a time."""
        stage, tar_name, prefix = "generate", "images.tar", "tar"
        if self._config.export.crop == "aligned":
            stage, tar_name, prefix = "measure", "aligned.tar", "aligned"
        images = [b""] * len(table["identity"])
        for shard in np.unique(table["source_shard"]).tolist():
            with TarReader(require_shard(self._run, stage, shard) / tar_name) as tar:
                for row in np.flatnonzero(table["source_shard"] == shard).tolist():
                    images[row] = tar.read(int(table[f"{prefix}_offset"][row]), int(table[f"{prefix}_size"][row]))
        return images
