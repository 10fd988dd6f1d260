"""Stage 4: which candidates stay, under which label and in which order. Tables only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from filters.base import within
from pipelines.plan import even_tasks, identity_tasks, sample_key
from pipelines.run_directory import RunDirectory, require_shard
from pipelines.schema import RunConfig
from pipelines.stage import Stage
from pipelines.stages.decisions import Decisions
from synth.errors import SelectionError
from synth.seeding import hash_order
from synth.shards.manifest import Task
from synth.shards.table import read_table, write_table
from synth.similarity import centroids, separate

Columns = dict[str, npt.NDArray[Any]]


class Select(Stage):
    """One task; writes decisions.parquet, every candidate, and selection.parquet, the kept ones in export order."""

    name = "select"
    unit = "candidates"

    def __init__(self, config: RunConfig, run: RunDirectory) -> None:
        self._config = config
        self._run = run

    def tasks(self) -> list[Task]:
        """Returns the one task, over all identities."""
        return [Task(0, 0, self._config.identities.count)]

    def process(self, task: Task, out: Path) -> dict[str, int]:
        """Decides on all candidates."""
        candidates = self._candidates()
        decisions = self._decide(candidates)
        _refuse_freed(decisions.kept & (candidates["tar_size"] == 0))
        labels = decisions.labels()
        decided = {name: candidates[name] for name in ("identity", "index", "source_shard")} | {
            "kept": decisions.kept,
            "dropped_by": decisions.dropped_by,
            "label": labels,
        }
        numbers = {name: candidates[name] for name in self._config.filter_names}
        write_table(out / "decisions.parquet", decided | numbers)
        selected = (
            {"label": labels} | {name: candidates[name] for name in ("identity", "index", "source_shard")} | numbers
        )
        order = self._order(candidates, decisions.kept)
        sizes = [task.stop - task.start for task in even_tasks(len(order), self._config.export.shard_size)]
        write_table(out / "selection.parquet", {name: column[order] for name, column in selected.items()}, sizes)
        identities = len(np.unique(candidates["identity"][decisions.kept]))
        return {self.unit: len(labels), "kept": len(order), "identities": identities} | decisions.drops()

    def _candidates(self) -> Columns:
        """Reads the columns that decide, of all shards, identity-major."""
        parts = []
        tasks = identity_tasks(self._config.identities.count, self._config.images.identities_per_shard)
        measured = ["identity", "index", "found", *self._config.filter_names]
        for task in tasks:
            faces = read_table(require_shard(self._run, "measure", task.shard) / "samples.parquet", measured)
            made = require_shard(self._run, "generate", task.shard) / "samples.parquet"
            shard = np.full(len(faces["identity"]), task.shard, dtype=np.int32)
            parts.append(faces | read_table(made, ["tar_size"]) | {"source_shard": shard})
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _decide(self, candidates: Columns) -> Decisions:
        """Applies the bounds in the order of the file, then the limits of the selection."""
        selection = self._config.selection
        decisions = Decisions(candidates["identity"])
        for name, section in zip(self._config.filter_names, self._config.filters, strict=True):
            low = -np.inf if section.min is None else section.min
            high = np.inf if section.max is None else section.max
            decisions.drop(~within(candidates[name], low, high), name)
        decisions.drop(~candidates["found"], "no_face")
        if selection.images_per_identity is not None:
            decisions.keep_first(selection.images_per_identity, "images_per_identity")
        decisions.keep_identities_of(selection.min_images_per_identity, "min_images_per_identity")
        if selection.max_inter_class_similarity is not None:
            identities, directions = self._centroids(candidates, decisions.kept)
            apart = separate(directions, selection.max_inter_class_similarity)
            decisions.drop(np.isin(candidates["identity"], identities[~apart]), "max_inter_class_similarity")
        return decisions

    def _centroids(
        self, candidates: Columns, kept: npt.NDArray[np.bool_]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """Returns the identities that have kept samples and the mean direction of those samples, shard by shard."""
        directions = []
        shards = candidates["source_shard"]
        for shard in np.unique(shards[kept]).tolist():
            rows = slice(*np.searchsorted(shards, [shard, shard + 1]))
            path = require_shard(self._run, "measure", shard) / "samples.parquet"
            embeddings = read_table(path, ["embedding"])["embedding"]
            directions.append(centroids(embeddings[kept[rows]], candidates["identity"][rows][kept[rows]]))
        identities = np.unique(candidates["identity"][kept])
        return identities, np.concatenate(directions) if directions else np.zeros((0, 1), dtype=np.float32)

    def _order(self, candidates: Columns, kept: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """Returns the rows of the kept candidates, shuffled by the hash of their keys."""
        rows = np.flatnonzero(kept)
        pairs = zip(candidates["identity"][rows].tolist(), candidates["index"][rows].tolist(), strict=True)
        keys = (sample_key(identity, index) for identity, index in pairs)
        return rows[hash_order(keys, salt=f"{self._config.seed}/{self.name}")].astype(np.int64)


def _refuse_freed(rows: npt.NDArray[np.bool_]) -> None:
    """Checks that the images of what is kept are there; rows: bool (B,), those that are kept and have none."""
    if rows.any():
        raise SelectionError(
            f"{int(rows.sum())} candidates that these bounds keep were rejected before, and `synth clean` freed their "
            "images; go back to the bounds of before, use another --run-dir or --redo generate"
        )
