import json

import numpy as np
import pytest

from synth.dataset_folders.labels import write_labels
from synth.errors import ShardError
from synth.shards.table import write_table


def shards(folder, *tables):
    """Writes a shard for each list of (label, identity) pairs."""
    found = []
    for number, pairs in enumerate(tables):
        found.append(folder / f"{number:06d}")
        found[-1].mkdir()
        labels, identities = np.array(pairs).T
        write_table(found[-1] / "samples.parquet", {"label": labels, "identity": identities})
    return found


def test_each_label_has_its_identity_in_the_order_of_labels(tmp_path):
    found = shards(tmp_path, [(2, 40), (0, 7), (2, 40)], [(1, 9), (0, 7)])

    assert write_labels(found, tmp_path) == 3

    assert list(json.loads((tmp_path / "labels.json").read_text()).items()) == [("0", 7), ("1", 9), ("2", 40)]


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ([[(0, 7), (1, 9)], [(1, 8)]], "000001: label 1 is identity 8 here and 9 in an earlier shard"),
        ([[(0, 7), (0, 8)]], "000000: label 0 is identity 8 here and 7"),
        ([[(1, 7), (2, 8)]], "2 labels and none of them is 0"),
    ],
)
def test_labels_that_trainers_cannot_use_are_reported(tmp_path, tables, message):
    with pytest.raises(ShardError, match=message):
        write_labels(shards(tmp_path, *tables), tmp_path)


def test_a_missing_table_is_reported(tmp_path):
    with pytest.raises(ShardError, match=r"samples\.parquet: cannot be read"):
        write_labels([tmp_path], tmp_path)
