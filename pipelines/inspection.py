"""Looks at a run from outside: how far it is, and whether what it holds is intact."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.config import stored_config
from pipelines.dataset import damaged_dataset_files
from pipelines.fingerprint import STAGES
from pipelines.plan import even_tasks, identity_tasks
from pipelines.run_directory import RunDirectory
from synth.errors import ShardError
from synth.shards.manifest import ShardRecord, damage


@dataclass(frozen=True, slots=True)
class StageStatus:
    """How far a stage is.

    Attributes:
        name: of the stage.
        committed: number of shards.
        planned: number of shards; None where the stages before decide it.
        failed: number of tasks that failed in the last run.
        counts: sums over the committed shards.
        seconds: sum over the committed shards.
    """

    name: str
    committed: int
    planned: int | None
    failed: int
    counts: dict[str, int]
    seconds: float


def status(run: RunDirectory) -> list[StageStatus]:
    """Returns how far each stage of a run is.

    Raises:
        RunError: it is no run directory.
        ShardError: a record cannot be read.
    """
    config = stored_config(run)
    shards = len(identity_tasks(config.identities.count, config.images.identities_per_shard))
    planned = {"sample": 1, "generate": shards, "measure": shards, "select": 1}
    found = []
    for stage in STAGES:
        records = [ShardRecord.read(path) for path in run.shards(stage)]
        counts: dict[str, int] = {}
        for record in records:
            for name, number in record.counts.items():
                counts[name] = counts.get(name, 0) + number
        if stage == "select" and records:
            planned["export"] = len(even_tasks(counts["kept"], config.export.shard_size))
        failed = len(list(run.failed.glob(f"{stage}.*.json")))
        seconds = sum(record.seconds for record in records)
        found.append(StageStatus(stage, len(records), planned.get(stage), failed, counts, seconds))
    return found


def damages(run: RunDirectory) -> list[str]:
    """Re-hashes every committed shard and the assembled dataset; returns a line for each file that is damaged.

    Raises:
        RunError: it is no run directory.
    """
    run.read_run()
    lines = []
    for stage in STAGES:
        for shard in run.shards(stage):
            try:
                lines += damage(shard, ShardRecord.read(shard))
            except ShardError as error:
                lines.append(str(error))
    return lines + damaged_dataset_files(run)
