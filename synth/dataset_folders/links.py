"""Committed files in the folder of a dataset, without a second copy of them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from synth.errors import ShardError
from synth.exporters.base import SIDECAR


def link_file(source: Path, target: Path) -> Path:
    """Puts a committed file at a new place, whose folder is made: a hard link, or a copy where there can be none.

    Returns:
        The target.

    Raises:
        ShardError: the file is missing, or there is one at the target.
    """
    if not source.is_file():
        raise ShardError(f"{source}: missing; remove its shard and run again")
    if target.exists():
        raise ShardError(f"{source}: another shard holds a file of this name; export again")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
    return target


def link_tables(shards: Sequence[Path], folder: Path) -> None:
    """Puts the sidecar table of each shard into a dataset's folder as `samples-000000.parquet` and so on.

    Raises:
        ShardError: one is missing.
    """
    for number, shard in enumerate(shards):
        link_file(shard / SIDECAR, folder / f"samples-{number:06d}.parquet")


def require_shards(shards: Sequence[Path], dataset: Path) -> None:
    """Raises ShardError where there are no shards to make a dataset of."""
    if not shards:
        raise ShardError(f"{dataset}: there are no export shards to assemble; nothing was selected")
