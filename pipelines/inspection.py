"""Looks whether what a run holds is intact."""

from __future__ import annotations

from pathlib import Path

from pipelines.dataset import damaged_dataset_files
from pipelines.fingerprint import STAGES
from pipelines.run_directory import RunDirectory
from synth.errors import ShardError
from synth.shards.manifest import ShardRecord, damage


def damages(run: RunDirectory) -> list[str]:
    """Re-hashes every committed shard and the assembled dataset; returns a line for each file that is damaged.

    Raises:
        RunError: it is no run directory.
    """
    run.read_run()
    lines = []
    for stage in STAGES:
        for shard in run.shards(stage):
            lines += _damage_of(shard)
    return lines + damaged_dataset_files(run)


def _damage_of(shard: Path) -> list[str]:
    """Returns a line for each damaged file of a shard; somebody may replace or remove it meanwhile."""
    while shard.exists():
        try:
            record = ShardRecord.read(shard)
            lines = damage(shard, record)
            if not lines or ShardRecord.read(shard) == record:
                return lines
        except (ShardError, FileNotFoundError) as error:
            if shard.exists():
                return [str(error)]
    return []
