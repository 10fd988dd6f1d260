"""Frees the images of rejected candidates of a finished run. Tables, the kept images and the dataset stay."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from pipelines.dataset import is_assembled
from pipelines.run_directory import RunDirectory, require_shard, write_json
from synth.errors import RunError
from synth.shards.commit import replace_directory
from synth.shards.manifest import RECORD_NAME, ShardRecord, describe_files
from synth.shards.table import read_table, write_table
from synth.shards.tar import TarReader, TarWriter

FREED: Final = "freed"  # in the counts of a cleaned shard: how many of its images are gone
_TABLE: Final = "samples.parquet"
_TARS: Final = {"generate": ("images.tar", "tar"), "measure": ("aligned.tar", "aligned")}  # and the columns' prefix


@dataclass(frozen=True, slots=True)
class Freed:
    """What was freed, or would be.

    Attributes:
        images: of rejected candidates.
        size: bytes, of these images and of their aligned faces.
    """

    images: int
    size: int


def clean(run: RunDirectory, *, dry_run: bool = False) -> Freed:
    """Takes the images of rejected candidates out of `generate` and `measure`.

    What was decided and measured stays, so the report keeps its numbers, identities can be added, and the dataset can
    be exported again. What would need the freed images is refused from then on: other filters or another recogniser,
    and bounds that keep what was rejected. A shard is replaced as a whole; stopped at any moment, it goes on where it
    was.

    Args:
        run: finished.
        dry_run: whether to count only.

    Raises:
        RunError: it is no run directory, or its dataset is not finished.
        RunLockedError: somebody works on it.
        ShardError: a shard is missing or damaged.
    """
    run.read_run()  # a folder that is no run gets no lock file
    with run.lock():
        if not is_assembled(run):
            raise RunError(f"{run.root}: its dataset is not finished; run it to the end before images are freed")
        decisions = read_table(require_shard(run, "select", 0) / "decisions.parquet", ["kept", "source_shard"])
        if not dry_run:
            write_json(run.cleaned, {"select": run.stage_digest("select")})
        images = size = 0
        for stage in _TARS:
            for shard in np.unique(decisions["source_shard"]).tolist():
                path = require_shard(run, stage, shard)
                kept = decisions["kept"][decisions["source_shard"] == shard]
                freed = _free(path, kept, *_TARS[stage], dry_run=dry_run)
                images += freed.images if stage == "generate" else 0
                size += freed.size
    return Freed(images, size)


def _free(shard: Path, kept: npt.NDArray[np.bool_], tar_name: str, prefix: str, *, dry_run: bool) -> Freed:
    """Takes the rejected images out of a shard; kept: bool (B,), by row of its table."""
    table = read_table(shard / _TABLE)
    offsets, sizes = table[f"{prefix}_offset"].copy(), table[f"{prefix}_size"].copy()
    gone = ~kept & (sizes > 0)
    freed = Freed(int(gone.sum()), int(sizes[gone].sum()))
    if dry_run or not freed.images:
        return freed
    record = ShardRecord.read(shard)
    with replace_directory(shard) as out:
        with TarReader(shard / tar_name) as source, TarWriter(out / tar_name) as tar:
            rows = {offset: row for row, offset in enumerate(offsets.tolist()) if kept[row]}
            for name, offset, size in source.members():
                if offset in rows:
                    offsets[rows[offset]], _ = tar.add(name, source.read(offset, size))
        offsets[gone], sizes[gone] = -1, 0
        write_table(out / _TABLE, table | {f"{prefix}_offset": offsets, f"{prefix}_size": sizes})
        for path in shard.iterdir():
            if path.name not in (tar_name, _TABLE, RECORD_NAME):
                os.link(path, out / path.name)
        counts = {**record.counts, FREED: record.counts.get(FREED, 0) + freed.images}
        replace(record, counts=counts, files=describe_files(out)).write(out)
    return freed
