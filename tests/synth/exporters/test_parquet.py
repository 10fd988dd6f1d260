import dataclasses

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from synth.errors import ShardError
from synth.exporters import parquet
from synth.exporters.parquet import ParquetExporter
from tests.synth.exporters.dataset_folder import CARD, make_dataset, make_samples, write_shard

TYPES = {
    "label": "int64",
    "key": "string",
    "identity": "int64",
    "score": "float64",
    "sharp": "float64",
    "synthetic": "bool",
    "generator": "string",
}


def values(sample):
    """Returns what the columns of a sample hold but the image."""
    changed = {"sharp": float(str(sample.metadata["sharp"])), "landmarks": [1.0, 2.5]}
    return {**sample.metadata, **changed, "label": sample.label, "key": sample.key}


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("bare", [False, True])
def test_datasets_loads_the_folder_and_bare_tables_with_types_and_values(tmp_path, load, streaming, bare):
    folder, samples = make_dataset(ParquetExporter(), tmp_path)
    tables = sorted(str(path) for path in folder.glob("train-*.parquet"))

    rows = load("parquet", streaming, data_files={"train": tables}) if bare else load(str(folder), streaming)

    assert type(rows.features["image"]).__name__ == "Image"
    assert {name: rows.features[name].dtype for name in TYPES} == TYPES
    assert rows.features["landmarks"].feature.dtype == "float64"
    assert rows.features["bins"].feature.dtype == "int64"
    for row, sample in zip(rows, samples, strict=True):
        assert row.pop("image") == {"bytes": sample.image, "path": f"{sample.key}.jpg"}
        assert row == values(sample)


def test_images_are_decoded_without_being_told_how(tmp_path):
    import datasets

    folder, _ = make_dataset(ParquetExporter(), tmp_path)

    rows = datasets.Dataset.from_parquet(str(folder / "train-000000.parquet"), cache_dir=str(tmp_path / "cache"))

    assert rows[0]["image"].size == (16, 16)


def test_nothing_is_compressed_and_groups_of_rows_are_small(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "ROWS_PER_GROUP", 5)
    ParquetExporter().write_shard(make_samples(12), 0, tmp_path)

    metadata = pq.read_metadata(tmp_path / "train-000000.parquet")

    assert [metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)] == [5, 5, 2]
    first = metadata.row_group(0)
    columns = {first.column(number).path_in_schema: first.column(number) for number in range(first.num_columns)}
    assert columns["image.bytes"].compression == "UNCOMPRESSED"
    assert not columns["image.bytes"].has_dictionary_page
    assert columns["label"].statistics.max == 1


def test_the_card_declares_the_columns(tmp_path):
    folder, _ = make_dataset(ParquetExporter(), tmp_path)

    _, block, _ = (folder / "README.md").read_text().split("---\n", 2)

    fields = yaml.safe_load(block)
    assert fields["configs"][0]["data_files"] == [{"split": "train", "path": "train-*.parquet"}]
    assert fields["dataset_info"]["features"][:3] == [
        {"name": "image", "dtype": "image"},
        {"name": "label", "dtype": "int64"},
        {"name": "key", "dtype": "string"},
    ]
    assert {"name": "landmarks", "sequence": "float64"} in fields["dataset_info"]["features"]
    assert fields["dataset_info"]["splits"][0]["num_examples"] == 24


def test_tables_are_links_to_those_of_the_shards(tmp_path):
    folder, _ = make_dataset(ParquetExporter(), tmp_path)

    assert (folder / "train-000001.parquet").samefile(tmp_path / "export" / "000001" / "train-000001.parquet")
    assert (folder / "samples-000001.parquet").samefile(tmp_path / "export" / "000001" / "samples.parquet")


def test_a_label_among_the_metadata_becomes_one_column(tmp_path):
    samples = [dataclasses.replace(s, metadata={**s.metadata, "label": np.int64(s.label)}) for s in make_samples()]

    ParquetExporter().write_shard(samples, 0, tmp_path)

    table = pq.read_table(tmp_path / "train-000000.parquet")
    assert table.column_names.count("label") == 1
    assert table["label"].to_pylist() == [sample.label for sample in samples]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"label": 5}, "its metadata name another label than its own, 0"),
        ({"image": 1}, "metadata 'image' has the name of a column of every table"),
        ({"key": "a"}, "metadata 'key' has the name of a column of every table"),
        ({"score": float("nan")}, "metadata 'score': nan"),
    ],
)
def test_metadata_that_fit_no_column_are_refused(tmp_path, changes, message):
    with pytest.raises(ValueError, match=f"sample 00000000_0000: {message}"):
        ParquetExporter().write_shard(make_samples(1, **changes), 0, tmp_path)


@pytest.mark.parametrize("changes", [{"score": 1}, {"extra": 1.0}, {"landmarks": 1.0}])
def test_all_samples_of_a_shard_have_the_same_fields(tmp_path, monkeypatch, changes):
    monkeypatch.setattr(parquet, "ROWS_PER_GROUP", 2)
    samples = [*make_samples(2), *make_samples(1, 2, **changes)]

    with pytest.raises(ValueError, match=rf"sample 00000000_0002: fields differ \({next(iter(changes))}\) within one"):
        ParquetExporter().write_shard(samples, 0, tmp_path)


def test_shards_with_other_columns_are_reported(tmp_path):
    exporter = ParquetExporter()
    shards = [
        write_shard(exporter, tmp_path, 0, make_samples()),
        write_shard(exporter, tmp_path, 1, make_samples(score=1)),
    ]

    with pytest.raises(ShardError, match=r"000001: columns differ \(score\) from"):
        exporter.assemble(shards, tmp_path / "dataset", CARD)


@pytest.mark.parametrize("damage", ["missing", "truncated"])
def test_a_shard_without_a_whole_table_is_reported_and_the_old_folder_stays(tmp_path, damage):
    folder, _ = make_dataset(ParquetExporter(), tmp_path)
    shards = sorted((tmp_path / "export").iterdir())
    table = shards[1] / "train-000001.parquet"
    content = table.read_bytes()
    table.unlink()
    if damage == "truncated":
        table.write_bytes(content[:-9])

    with pytest.raises(ShardError, match=r"train-000001\.parquet: (missing|cannot be read as a table)"):
        ParquetExporter().assemble(shards, folder, CARD)

    assert (folder / "train-000001.parquet").read_bytes() == content
