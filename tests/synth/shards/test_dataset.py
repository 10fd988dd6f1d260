import json
import pickle
import tarfile

import numpy as np
import pytest
import webdataset

from synth.errors import ShardError
from synth.images import decode_image
from synth.shards.dataset import DatasetReader
from synth.shards.tar import TarWriter
from tests.synth.training.faces import write_dataset
from tests.toy import run_toy


def test_samples_come_back_by_row_with_their_labels(tmp_path):
    _, labels = write_dataset(tmp_path)

    reader = DatasetReader(tmp_path)

    assert len(reader) == 24
    assert reader.num_labels == 6
    assert reader.labels.tolist() == labels.tolist()
    assert decode_image(reader.image(23)).shape == (112, 112, 3)


def test_a_run_s_dataset_is_read_and_its_labels_agree_with_the_tables(tmp_path):
    run, result = run_toy(tmp_path / "run")

    reader = DatasetReader(run.dataset)

    assert (len(reader), reader.num_labels) == (result.samples, result.identities)


def test_tars_of_webdataset_are_read(tmp_path):
    images, labels = write_dataset(tmp_path / "ours", shards=1)
    ours = DatasetReader(tmp_path / "ours")
    (tmp_path / "theirs").mkdir()
    with webdataset.TarWriter(str(tmp_path / "theirs" / "a.tar")) as tar:
        for row, label in enumerate(labels):
            tar.write({"__key__": f"folder/{row:06d}", "jpg": ours.image(row), "cls": int(label)})

    reader = DatasetReader(tmp_path / "theirs")

    assert reader.labels.tolist() == labels.tolist()
    assert [reader.image(row) for row in range(len(images))] == [ours.image(row) for row in range(len(images))]


def test_a_reader_goes_to_another_process_without_its_maps(tmp_path):
    write_dataset(tmp_path)
    reader = DatasetReader(tmp_path)
    image = reader.image(7)

    sent = pickle.loads(pickle.dumps(reader))

    assert sent.image(7) == image


def test_labels_with_gaps_are_refused_with_the_first_one_missing(tmp_path):
    labels = np.repeat([0, 1, 2, 4, 5, 7], 4)
    write_dataset(tmp_path, labels=labels)

    with pytest.raises(ShardError, match=r"label 3 has no image, labels go up to 7 \(2 have none\)"):
        DatasetReader(tmp_path)


def test_a_shard_of_another_export_is_told_by_the_index(tmp_path):
    run, _ = run_toy(tmp_path / "run")
    write_dataset(tmp_path / "other", shards=1)
    tars = sorted(run.dataset.glob("*.tar"))
    tars[0].unlink()
    tars[0].write_bytes((tmp_path / "other" / "train-000000.tar").read_bytes())

    with pytest.raises(
        ShardError, match=r"train-000000\.tar: \d+ bytes, index\.json has \d+ bytes; a shard of another"
    ):
        DatasetReader(run.dataset)


def test_a_tar_the_index_does_not_know_is_refused(tmp_path):
    run, _ = run_toy(tmp_path / "run")
    write_dataset(tmp_path / "other", shards=1)
    (run.dataset / "train-000009.tar").write_bytes((tmp_path / "other" / "train-000000.tar").read_bytes())

    with pytest.raises(ShardError, match=r"train-000009\.tar: \d+ bytes, index\.json has no such file"):
        DatasetReader(run.dataset)


@pytest.mark.parametrize("text", ["[]", "{}", "not json", json.dumps({"shards": [1]})])
def test_an_index_that_is_none_is_an_error(tmp_path, text):
    write_dataset(tmp_path)
    (tmp_path / "index.json").write_text(text)

    with pytest.raises(ShardError, match=r"index\.json: not the index of an export"):
        DatasetReader(tmp_path)


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(ShardError, match=r"no \.tar files"):
        DatasetReader(tmp_path)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([("a.jpg", b"x")], "sample 'a' has no label"),
        ([("a.cls", b"0")], "sample 'a' has no image"),
        ([("a.jpg", b"x"), ("a.cls", b"one")], "member 'a.cls' is b'one', expected a label"),
        ([("a.jpg", b"x"), ("a.cls", b"-1")], "member 'a.cls' is b'-1', expected a label"),
        ([("a.jpg", b"x"), ("b.cls", b"0")], "sample 'a' has no label"),
        ([("README", b"x")], "member 'README' is not named key.extension"),
        ([("a.jpg", b"x"), ("a.cls", b"2000000000")], "label 0 has no image, labels go up to 2000000000"),
        ([], "holds no samples"),
    ],
)
def test_incomplete_samples_are_named(tmp_path, members, message):
    with TarWriter(tmp_path / "a.tar") as tar:
        for name, data in members:
            tar.add(name, data)

    with pytest.raises(ShardError, match=message):
        DatasetReader(tmp_path)


def test_a_truncated_tar_is_named(tmp_path):
    write_dataset(tmp_path, shards=1)
    path = tmp_path / "train-000000.tar"
    path.write_bytes(path.read_bytes()[:5000])

    with pytest.raises(ShardError, match=r"train-000000\.tar: .*truncated"):
        DatasetReader(tmp_path)


def test_links_in_a_tar_are_refused(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        link = tarfile.TarInfo("a.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)

    with pytest.raises(ShardError, match="no regular file"):
        DatasetReader(tmp_path)
