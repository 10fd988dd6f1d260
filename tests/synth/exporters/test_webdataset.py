import dataclasses
import json
import pickle
import subprocess
import sys

import numpy as np
import pytest
import yaml

from synth.digests import sha256_of
from synth.errors import ShardError
from synth.exporters.webdataset import WebDatasetExporter
from synth.shards.tar import TarReader
from tests.synth.exporters.dataset_folder import CARD, make_dataset, make_samples, write_shard


def expected_metadata(sample):
    changed = {"sharp": float(str(sample.metadata["sharp"])), "landmarks": [1.0, 2.5]}
    return {**sample.metadata, **changed}


@pytest.mark.parametrize("streaming", [False, True])
def test_datasets_loads_the_folder_with_the_right_types_and_values(tmp_path, load, streaming):
    folder, samples = make_dataset(WebDatasetExporter(), tmp_path)

    rows = load(str(folder), streaming)

    types = {name: getattr(kind, "dtype", None) for name, kind in rows.features["json"].items()}
    assert types["identity"] == "int64"
    assert types["score"] == types["sharp"] == "float64"
    assert types["synthetic"] == "bool"
    assert types["generator"] == "string"
    assert rows.features["cls"].dtype == "int64"
    assert rows.features["json"]["landmarks"].feature.dtype == "float64"
    assert rows.features["json"]["bins"].feature.dtype == "int64"
    for row, sample in zip(rows, samples, strict=True):
        assert row["jpg"]["bytes"] == sample.image
        assert row["cls"] == sample.label
        assert row["__key__"] == sample.key
        assert row["json"] == expected_metadata(sample)


def test_even_bare_tars_keep_their_floats(tmp_path, load):
    folder, samples = make_dataset(WebDatasetExporter(), tmp_path)
    tars = sorted(str(path) for path in folder.glob("*.tar"))

    rows = load("webdataset", data_files={"train": tars})

    assert [row["json"]["score"] for row in rows] == [sample.metadata["score"] for sample in samples]


def test_webdataset_reads_bytes_metadata_and_labels(tmp_path):
    folder, samples = make_dataset(WebDatasetExporter(), tmp_path)
    # In a process of its own: webdataset leaves its files open, which would be a warning here.
    script = (
        "import pickle, sys, webdataset\n"
        "rows = list(webdataset.WebDataset(sys.argv[1], shardshuffle=False))\n"
        "sys.stdout.buffer.write(pickle.dumps(rows))\n"
    )
    urls = str(folder / "train-{000000..000001}.tar")

    ended = subprocess.run([sys.executable, "-c", script, urls], check=True, capture_output=True)

    rows = pickle.loads(ended.stdout)
    for row, sample in zip(rows, samples, strict=True):
        assert row["__key__"] == sample.key
        assert row["jpg"] == sample.image
        assert json.loads(row["json"]) == expected_metadata(sample)
        assert int(row["cls"]) == sample.label


def test_members_of_a_sample_are_adjacent_and_in_order(tmp_path):
    (sample,) = make_samples(1)
    WebDatasetExporter().write_shard([sample], 7, tmp_path)

    with TarReader(tmp_path / "train-000007.tar") as tar:
        assert [name for name, _ in tar] == ["00000000_0000.jpg", "00000000_0000.json", "00000000_0000.cls"]


def test_json_has_sorted_keys_and_floats_that_look_like_floats(tmp_path):
    (sample,) = make_samples(1, score=np.float64(1), sharp=np.float32(0.1), tiny=1e-9, large=1e22, half=np.float16(0.1))
    WebDatasetExporter().write_shard([sample], 0, tmp_path)

    with TarReader(tmp_path / "train-000000.tar") as tar:
        text = next(tar.samples())["json"].decode()

    assert text == (
        '{"bins":[0,2],"generator":"painted","half":0.1,"identity":0,"landmarks":[1.0,2.5],"large":1e+22,'
        '"score":1.0,"sharp":0.1,"synthetic":true,"tiny":1e-09}'
    )
    assert all(type(json.loads(text)[name]) is float for name in ("half", "large", "score", "tiny"))


def test_the_same_samples_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        WebDatasetExporter().write_shard(make_samples(), 0, tmp_path / name)

    assert sha256_of(tmp_path / "a" / "train-000000.tar") == sha256_of(tmp_path / "b" / "train-000000.tar")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (float("nan"), "'score': nan: JSON has no such number"),
        (np.float32("inf"), "'score': inf: JSON has no such number"),
        (None, "'score': expected bool, int, float, str or a list of one of them, got None"),
        ({"a": 1}, "'score': expected bool"),
        ([], "'score': expected a list of values of one type"),
        ([1, 0.5], "'score': expected a list of values of one type"),
        ([0.5, float("nan")], "'score': nan: JSON has no such number"),
        (np.uint64(2**63), "'score': 9223372036854775808 does not fit 64 bits"),
    ],
)
def test_values_that_loaders_would_misread_are_refused(tmp_path, value, message):
    with pytest.raises(ValueError, match="sample 00000000_0000: metadata " + message):
        WebDatasetExporter().write_shard(make_samples(1, score=value), 0, tmp_path)


@pytest.mark.parametrize("changes", [{"score": 1}, {"extra": 1.0}, {"landmarks": 1.0}])
def test_all_samples_of_a_shard_have_the_same_fields(tmp_path, changes):
    samples = [*make_samples(2), *make_samples(1, 2, **changes)]

    with pytest.raises(ValueError, match=rf"sample 00000000_0002: fields differ \(json\.{next(iter(changes))}\)"):
        WebDatasetExporter().write_shard(samples, 0, tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"key": "a.b"}, "a key must not"),
        ({"key": "a/b"}, "a key must not"),
        ({"key": ""}, "a key must not"),
        ({"extension": "bmp"}, "expected 'jpg' or 'png'"),
        ({"label": -1}, "a label >= 0"),
        ({"metadata": {}}, "at least one metadata field"),
    ],
)
def test_samples_that_do_not_fit_the_format_are_refused(tmp_path, changes, message):
    (sample,) = make_samples(1)

    with pytest.raises(ValueError, match=message):
        WebDatasetExporter().write_shard([dataclasses.replace(sample, **changes)], 0, tmp_path)


def test_the_folder_holds_linked_tars_sidecars_index_and_card(tmp_path):
    folder, samples = make_dataset(WebDatasetExporter(), tmp_path)

    names = sorted(path.name for path in folder.iterdir())
    index = json.loads((folder / "index.json").read_text())
    tar = folder / "train-000001.tar"
    assert names == [
        "README.md",
        "index.json",
        *(f"train-{shard:06d}.{kind}" for shard in (0, 1) for kind in ("parquet", "tar")),
    ]
    assert tar.samefile(tmp_path / "export" / "000001" / "train-000001.tar")
    assert index["num_samples"] == len(samples)
    assert index["num_bytes"] == sum(path.stat().st_size for path in folder.glob("*.tar"))
    assert index["shards"][1] == {
        "name": tar.name,
        "size": tar.stat().st_size,
        "sha256": sha256_of(tar),
        "num_samples": 12,
    }
    assert index["shardlist"][1] == {"url": tar.name, "nsamples": 12, "filesize": tar.stat().st_size}


def test_the_card_says_what_was_given_and_where_the_data_are(tmp_path):
    folder, _ = make_dataset(WebDatasetExporter(), tmp_path)

    _, block, text = (folder / "README.md").read_text().split("---\n", 2)

    fields = yaml.safe_load(block)
    assert text.strip() == CARD.text
    assert fields["license"] == "cc0-1.0"
    assert fields["configs"][0]["data_files"] == [{"split": "train", "path": "train-*.tar"}]
    assert fields["dataset_info"]["splits"][0]["num_examples"] == 24


def test_assembling_again_replaces_the_folder(tmp_path):
    folder, _ = make_dataset(WebDatasetExporter(), tmp_path)
    (folder / "stale.txt").write_text("")

    WebDatasetExporter().assemble([tmp_path / "export" / "000000"], folder, CARD)

    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md",
        "index.json",
        "train-000000.parquet",
        "train-000000.tar",
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dataset", "export"]


@pytest.mark.parametrize("name", ["train-000001.tar", "samples.parquet"])
def test_a_shard_without_a_file_is_reported_and_the_old_folder_stays(tmp_path, name):
    folder, _ = make_dataset(WebDatasetExporter(), tmp_path)
    shards = [tmp_path / "export" / f"{shard:06d}" for shard in (0, 1)]
    (shards[1] / name).unlink()

    with pytest.raises(ShardError, match=f"{name}: missing"):
        WebDatasetExporter().assemble(shards, folder, CARD)

    assert len(list(folder.glob("*.tar"))) == 2


def test_shards_with_other_fields_are_reported(tmp_path):
    exporter = WebDatasetExporter()
    shards = [
        write_shard(exporter, tmp_path, 0, make_samples()),
        write_shard(exporter, tmp_path, 1, make_samples(score=1)),
    ]

    with pytest.raises(ShardError, match=r"000001: fields differ \(json\.score\)"):
        exporter.assemble(shards, tmp_path / "dataset", CARD)
