"""Frees the images of rejected candidates of a finished run. Tables, the kept images and the dataset stay."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from pipelines.dataset import is_assembled
from pipelines.run_directory import RunDirectory, require_shard, write_json
from synth.errors import RunError, ShardError
from synth.shards.commit import flush, replace_directory
from synth.shards.manifest import RECORD_NAME, ShardRecord, damage, describe_files, write_manifest
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
    be exported again. What would need the freed images is refused from then on: other filters or bounds, and another
    recogniser. A shard is replaced as a whole; stopped at any moment, it goes on where it was.

    Args:
        run: finished.
        dry_run: whether to count only.

    Raises:
        RunError: it is no run directory, or its dataset is not finished.
        RunLockedError: somebody works on it.
        ShardError: a shard is missing or damaged; nothing was freed from it.
    """
    run.read_run()  # a folder that is no run gets no lock file
    with run.lock():
        if not is_assembled(run):
            raise RunError(f"{run.root}: its dataset is not finished; run it to the end before images are freed")
        selection = require_shard(run, "select", 0)
        _require_intact(selection)
        decisions = read_table(selection / "decisions.parquet", ["kept", "source_shard"])
        images = size = 0
        for stage, (tar, prefix) in _TARS.items():
            for shard in np.unique(decisions["source_shard"]).tolist():
                path = require_shard(run, stage, shard)
                kept = decisions["kept"][decisions["source_shard"] == shard]
                sizes = read_table(path / _TABLE, [f"{prefix}_size"])[f"{prefix}_size"]
                gone = ~kept & (sizes > 0)
                images += int(gone.sum()) if stage == "generate" else 0
                size += int(sizes[gone].sum())
                if gone.any() and not dry_run:
                    _mark(run)
                    _free(path, gone, tar, prefix)
            if not dry_run:
                write_manifest(
                    run.stage(stage) / "manifest.json", [ShardRecord.read(path) for path in run.shards(stage)]
                )
    return Freed(images, size)


def _mark(run: RunDirectory) -> None:
    """Says, before the first image goes, that not all of them are there any more."""
    if not run.cleaned.exists():
        write_json(run.cleaned, {"select": run.stage_digest("select")})
        flush(run.cleaned)
        flush(run.root)


def _free(shard: Path, gone: npt.NDArray[np.bool_], tar_name: str, prefix: str) -> None:
    """Takes images out of an intact shard; gone: bool (B,), by row of its table."""
    _require_intact(shard)
    record = ShardRecord.read(shard)
    table = read_table(shard / _TABLE)
    offsets, sizes = table[f"{prefix}_offset"].copy(), table[f"{prefix}_size"].copy()
    offsets[gone], sizes[gone] = -1, 0
    rows = {offset: row for row, offset in enumerate(offsets.tolist()) if sizes[row]}
    with replace_directory(shard) as out:
        with TarReader(shard / tar_name) as source, TarWriter(out / tar_name) as tar:
            for name, offset, size in source.members():
                if offset in rows:
                    offsets[rows.pop(offset)], _ = tar.add(name, source.read(offset, size))
        assert not rows, f"{shard}: its tar lacks images of its table"
        write_table(out / _TABLE, table | {f"{prefix}_offset": offsets, f"{prefix}_size": sizes})
        for path in shard.iterdir():
            if path.name not in (tar_name, _TABLE, RECORD_NAME):
                os.link(path, out / path.name)
        counts = {**record.counts, FREED: record.counts.get(FREED, 0) + int(gone.sum())}
        replace(record, counts=counts, files=describe_files(out)).write(out)
        shutil.copystat(shard / RECORD_NAME, out / RECORD_NAME)  # it tells when the shard was made


def _require_intact(shard: Path) -> None:
    if lines := damage(shard, ShardRecord.read(shard)):
        raise ShardError("\n".join([*lines, f"{shard}: nothing is freed from damaged shards; make it again first"]))
