"""A finished toy run that is large enough to audit, and ways to spoil it behind its back."""

import numpy as np

from synth.shards.table import read_table, write_table
from synth.shards.tar import TarReader, TarWriter
from tests.toy import CONFIG, run_toy

IDENTITIES, KEPT_EACH = 40, 5


def make_toy(path, *overrides):
    """Runs a toy of 40 identities with 5 kept images each."""
    wanted = ("identities.count=40", "images.identities_per_shard=10", "selection.images_per_identity=5", *overrides)
    run, _ = run_toy(path, *wanted, text=CONFIG)
    return run


def change_images(run, shard, change, stage="measure"):
    """Writes the images of a shard again, each as `change(key, data)` returns it."""
    prefix, name = {"measure": ("aligned", "aligned.tar"), "generate": ("tar", "images.tar")}[stage]
    folder = run.shard(stage, shard)
    table = read_table(folder / "samples.parquet")
    with TarReader(folder / name) as tar:
        members = dict(tar)
    with TarWriter(folder / name) as tar:
        places = {member: tar.add(member, change(member.partition(".")[0], data)) for member, data in members.items()}
    offsets, sizes = table[f"{prefix}_offset"].copy(), table[f"{prefix}_size"].copy()
    keys = [f"{i:08d}_{k:04d}" for i, k in zip(table["identity"], table["index"], strict=True)]
    for row, key in enumerate(keys):
        place = places.get(f"{key}.jpg", places.get(f"{key}.png"))
        if place is not None:
            offsets[row], sizes[row] = place
    write_table(folder / "samples.parquet", table | {f"{prefix}_offset": offsets, f"{prefix}_size": sizes})


def change_labels(run, labels):
    """Gives samples of the selection other labels, by key."""
    path = run.shard("select", 0) / "selection.parquet"
    table = read_table(path)
    changed = table["label"].copy()
    for row, key in enumerate(selected_keys(run)):
        changed[row] = labels.get(key, changed[row])
    write_table(path, table | {"label": changed})


def selected_keys(run):
    """Returns the keys of the kept samples, in the order of the selection."""
    table = read_table(run.shard("select", 0) / "selection.parquet")
    return [f"{i:08d}_{k:04d}" for i, k in zip(table["identity"], table["index"], strict=True)]


def embeddings_of(run, shard):
    """Returns the embeddings of a shard's samples by key, float32."""
    table = read_table(run.shard("measure", shard) / "samples.parquet")
    keys = [f"{i:08d}_{k:04d}" for i, k in zip(table["identity"], table["index"], strict=True)]
    return dict(zip(keys, table["embedding"].astype(np.float32), strict=True))
