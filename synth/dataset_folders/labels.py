"""Which identity a label stands for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from synth.errors import ShardError
from synth.exporters.base import SIDECAR
from synth.shards.table import read_table


def write_labels(shards: Sequence[Path], folder: Path) -> int:
    """Writes `labels.json`, the identity of each label, from the sidecar tables of all shards.

    Returns:
        The number of labels. They are 0..that number - 1, as trainers need them.

    Raises:
        ShardError: a table cannot be read, a label stands for two identities, or labels have gaps.
    """
    identities: dict[int, int] = {}
    for shard in shards:
        table = read_table(shard / SIDECAR, ["label", "identity"])
        pairs = np.unique(np.stack([table["label"], table["identity"]], axis=1), axis=0)
        for label, identity in pairs.tolist():
            if identities.setdefault(label, identity) != identity:
                raise ShardError(
                    f"{shard}: label {label} is identity {identity} here and {identities[label]} in an earlier shard; "
                    "the shards belong to different selections: export again"
                )
    count = len(identities)
    if gaps := set(range(count)) - identities.keys():
        raise ShardError(f"{shards[0].parent}: {count} labels and none of them is {min(gaps)}; shards are missing")
    text = json.dumps({str(label): identities[label] for label in range(count)}, indent=0)
    (folder / "labels.json").write_text(text + "\n")
    return count
