"""Stage 4: which candidates stay, under which label and in which order. Tables only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from filters.base import within
from pipelines.plan import even_tasks, sample_key
from pipelines.run_directory import RunDirectory
from pipelines.schema import BalanceSection, MainClusterSection, RunConfig
from pipelines.stage import Stage
from pipelines.stages.balance import grouped, largest_cap, surplus
from pipelines.stages.candidates import Columns, read_candidates, read_embeddings
from pipelines.stages.decisions import Decisions
from pipelines.stages.shortfalls import shortfalls
from synth.clusters import main_cluster
from synth.errors import SelectionError
from synth.seeding import hash_order
from synth.shards.manifest import Task
from synth.shards.table import write_table
from synth.similarity import centroids, separate


class Select(Stage):
    """One task; writes three tables.

    decisions.parquet has every candidate, selection.parquet the kept ones in export order, shortfalls.parquet the
    identities that have fewer images than they should.
    """

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
        candidates = read_candidates(self._config, self._run)
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
        short = shortfalls(candidates["identity"], decisions, self._config.quota)
        write_table(out / "shortfalls.parquet", short)
        identities = len(np.unique(candidates["identity"][decisions.kept]))
        counts = {self.unit: len(labels), "kept": len(order), "identities": identities, "short": len(short["identity"])}
        return counts | decisions.drops()

    def _decide(self, candidates: Columns) -> Decisions:
        """Applies the bounds in the order of the file, then the limits of the selection."""
        selection = self._config.selection
        decisions = Decisions(candidates["identity"])
        for name, section in zip(self._config.filter_names, self._config.filters, strict=True):
            decisions.drop(~within(candidates[name], *section.bounds), name)
        decisions.drop(~candidates["found"], "no_face")
        if selection.main_cluster is not None:
            outside = self._outside(selection.main_cluster, candidates, decisions.kept)
            decisions.drop(outside, "main_cluster")
        if selection.images_per_identity is not None:
            decisions.keep_first(selection.images_per_identity, "images_per_identity")
        decisions.keep_identities_of(selection.min_images_per_identity, "min_images_per_identity")
        if selection.max_inter_class_similarity is not None:
            twins = self._twins(selection.max_inter_class_similarity, candidates, decisions.kept)
            decisions.drop(np.isin(candidates["identity"], twins), "max_inter_class_similarity")
        if selection.balance is not None:
            decisions.drop(_unbalanced(selection.balance, candidates, decisions.kept), "balance")
        return decisions

    def _outside(
        self, section: MainClusterSection, candidates: Columns, kept: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.bool_]:
        """Returns which kept rows are outside the main cluster of their identity, bool (B,)."""
        outside = np.zeros_like(kept)
        for rows, embeddings in read_embeddings(self._run, candidates, kept):
            starts = np.unique(candidates["identity"][rows], return_index=True)[1]
            for members in np.split(np.arange(len(rows)), starts[1:]):
                inside = main_cluster(embeddings[members], section.min_similarity, section.min_samples)
                outside[rows[members]] = ~inside
        return outside

    def _twins(self, max_similarity: float, candidates: Columns, kept: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """Returns the identities, int64, whose kept images' mean direction is too similar to one that comes before."""
        identities, sizes = np.unique(candidates["identity"][kept], return_counts=True)
        directions = [
            centroids(embeddings, candidates["identity"][rows])
            for rows, embeddings in read_embeddings(self._run, candidates, kept)
        ]
        if not directions:
            return identities
        if self._config.selection.twin_to_drop == "smaller":
            order = np.argsort(-sizes, kind="stable")
            return identities[order][~separate(np.concatenate(directions)[order], max_similarity)]
        return identities[~separate(np.concatenate(directions), max_similarity)]

    def _order(self, candidates: Columns, kept: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """Returns the rows of the kept candidates, shuffled by the hash of their keys."""
        rows = np.flatnonzero(kept)
        pairs = zip(candidates["identity"][rows].tolist(), candidates["index"][rows].tolist(), strict=True)
        keys = (sample_key(identity, index) for identity, index in pairs)
        return rows[hash_order(keys, salt=f"{self._config.seed}/{self.name}")].astype(np.int64)


def _unbalanced(section: BalanceSection, candidates: Columns, kept: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Returns the rows of identities that are too many of their kind, bool (B,); the first ones stay.

    Raises:
        SelectionError: no number of identities gives every group at most its share.
    """
    rows = np.flatnonzero(kept)
    first = rows[np.unique(candidates["identity"][rows], return_index=True)[1]]
    groups = grouped(candidates[section.column][first], section.edges)
    cap = section.max_identities
    if cap is None:
        counts = np.unique(groups, return_counts=True)[1]
        cap = largest_cap(counts, section.max_share or 0)
        if len(first) and not cap:
            raise SelectionError(
                f"selection.balance: the identities are of {len(counts)} kinds by {section.column}, so one kind is at "
                f"least 1/{len(counts)} of them; raise max_share {section.max_share:g} to that, or remove it"
            )
    return np.isin(candidates["identity"], candidates["identity"][first][surplus(groups, cap)])


def _refuse_freed(rows: npt.NDArray[np.bool_]) -> None:
    """Checks that the images of what is kept are there; rows: bool (B,), those that are kept and have none."""
    if rows.any():
        raise SelectionError(
            f"{int(rows.sum())} candidates that these bounds keep were rejected before, and `synth clean` freed their "
            "images; go back to the bounds of before, use another --run-dir or --redo generate"
        )
