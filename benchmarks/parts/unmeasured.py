"""A dataset of all generated images of a run, for trials where measuring would cost more than it sorts out.

Of the rendered people's images a filter drops one in a hundred, and detector and recogniser take longer than a GPU
takes to draw them. A dataset to be handed on is made by `synth run`, which measures each image.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.config import stored_config
from pipelines.plan import even_tasks, sample_key
from pipelines.run_directory import RunDirectory
from synth.components import build
from synth.exporters.base import SIDECAR, Card, Sample
from synth.shards.table import read_table, write_table
from synth.shards.tar import TarReader

Columns = Mapping[str, npt.NDArray[Any]]

_PLACES = ("identity", "index", "tar_offset", "tar_size")


def unmeasured_dataset(run: RunDirectory) -> Path:
    """Exports every committed image of a run's stage `generate`, shuffled, labelled by its identity.

    Args:
        run: made with `synth run --until generate`.

    Returns:
        The folder `unmeasured` in the run's directory; it is made once.
    """
    folder = run.root / "unmeasured"
    if folder.is_dir():
        return folder
    config = stored_config(run)
    exporter = build(config.exporter_spec)
    table = _table(run)
    order = np.random.default_rng(config.seed).permutation(len(table["identity"]))
    with TemporaryDirectory(dir=run.root) as beside:
        shards = []
        for task in even_tasks(len(order), config.export.shard_size):
            part = {name: column[order[task.start : task.stop]] for name, column in table.items()}
            shard = Path(beside) / f"{task.shard:06d}"
            shard.mkdir()
            exporter.write_shard(_samples(run, part, config.image_extension), task.shard, shard)
            write_table(shard / SIDECAR, {name: part[name] for name in ("label", "identity", "index")})
            shards.append(shard)
        card = Card(front_matter={"pretty_name": run.root.name}, text="For a trial: nothing in it was measured.")
        exporter.assemble(shards, folder, card)
    return folder


def _table(run: RunDirectory) -> Columns:
    """Returns where every generated image is and whose it is, in the order of their making."""
    parts = []
    for shard in run.shards("generate"):
        part = read_table(shard / "samples.parquet", list(_PLACES))
        parts.append(part | {"shard": np.full(len(part["identity"]), int(shard.name))})
    table = {name: np.concatenate([part[name] for part in parts]) for name in (*_PLACES, "shard")}
    _, labels = np.unique(table["identity"], return_inverse=True)
    return table | {"label": labels}


def _samples(run: RunDirectory, table: Columns, extension: str) -> Iterator[Sample]:
    """Yields the samples of a table's rows, in their order."""
    tars: dict[int, TarReader] = {}
    for row in range(len(table["identity"])):
        shard, identity, index = (int(table[name][row]) for name in ("shard", "identity", "index"))
        if shard not in tars:
            tars[shard] = TarReader(run.shard("generate", shard) / "images.tar")
        yield Sample(
            key=sample_key(identity, index),
            label=int(table["label"][row]),
            image=tars[shard].read(int(table["tar_offset"][row]), int(table["tar_size"][row])),
            extension=extension,
            metadata={"identity": identity, "index": index, "synthetic": True},
        )
