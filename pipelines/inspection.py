"""Looks whether what a run holds is intact."""

from __future__ import annotations

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
            try:
                lines += damage(shard, ShardRecord.read(shard))
            except ShardError as error:
                lines.append(str(error))
    return lines + damaged_dataset_files(run)
