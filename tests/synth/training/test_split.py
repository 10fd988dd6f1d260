import numpy as np
import pytest

from synth.errors import ConfigError
from synth.shards.dataset import DatasetReader
from synth.training.split import split
from tests.synth.training.faces import write_dataset


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    path = tmp_path_factory.mktemp("dataset")
    write_dataset(path, identities=8, per_identity=3)
    return DatasetReader(path)


def test_the_parts_share_no_identity_and_lose_no_image(dataset):
    training, held_out = split(dataset, held_out=3, min_images=2, seed=1)

    assert (training.num_labels, held_out.num_labels) == (5, 3)
    assert not set(dataset.labels[training.rows]) & set(dataset.labels[held_out.rows])
    assert sorted([*training.rows, *held_out.rows]) == list(range(24))


def test_labels_are_counted_anew_and_keep_identities_apart(dataset):
    training, _ = split(dataset, held_out=3, min_images=2, seed=1)

    pairs = {(int(old), int(new)) for old, new in zip(dataset.labels[training.rows], training.labels, strict=True)}

    assert sorted(new for _, new in pairs) == [0, 1, 2, 3, 4]
    assert len({old for old, _ in pairs}) == 5


def test_which_identities_are_held_out_follows_from_the_seed(dataset):
    choices = [set(dataset.labels[split(dataset, 3, 2, seed)[1].rows].tolist()) for seed in (1, 1, 2, 3, 4)]

    assert choices[0] == choices[1]
    assert len({frozenset(choice) for choice in choices}) > 1


@pytest.mark.parametrize("held_out", [0, 1, 7, 8])
def test_too_few_identities_are_refused(dataset, held_out):
    with pytest.raises(ConfigError, match=f"cannot hold out {held_out} of 8 identities"):
        split(dataset, held_out, 2, 0)


def test_a_class_with_one_image_is_refused_and_named(tmp_path):
    labels = [0, 0, 0, 1, 2, 2, 2, 2, 3, 3, 3, 3]
    write_dataset(tmp_path, identities=4, per_identity=3, labels=labels)

    with pytest.raises(ConfigError, match=r"1 identities have fewer than 2 images \(label 1 has 1\)"):
        split(DatasetReader(tmp_path), 1, 2, 0)


def test_a_class_with_one_image_is_taken_when_asked_for(tmp_path):
    labels = [0, 0, 0, 1, 2, 2, 2, 2, 3, 3, 3, 3]
    write_dataset(tmp_path, identities=4, per_identity=3, labels=labels)

    training, held_out = split(DatasetReader(tmp_path), 2, 1, 0)

    assert np.array_equal(np.sort(np.concatenate([training.rows, held_out.rows])), np.arange(12))


def test_held_out_identities_of_one_image_each_are_refused(tmp_path):
    write_dataset(tmp_path, identities=6, per_identity=1)

    with pytest.raises(ConfigError, match="none of the 3 held-out identities has 2 images"):
        split(DatasetReader(tmp_path), 3, 1, 0)
