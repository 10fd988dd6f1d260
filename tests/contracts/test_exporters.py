"""What every exporter in synth/exporters must do."""

import dataclasses
import re

import numpy as np
import pytest

from synth.components import ComponentSpec, available, build
from synth.errors import ShardError
from synth.images import encode_png
from tests.synth.exporters.dataset_folder import CARD, make_dataset, make_samples
from tests.synth.exporters.foreign_readers import READERS

EXPORTERS = [*((name, {}) for name in available("exporter")), ("record_io", {"flavour": "insightface"})]


@pytest.fixture(params=EXPORTERS, ids=lambda spec: " ".join([spec[0], *spec[1].values()]))
def spec(request):
    return ComponentSpec("exporter", *request.param)


@pytest.fixture
def exporter(spec):
    return build(spec)


def content(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_shard_is_a_function_of_its_samples(exporter, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        exporter.write_shard(iter(make_samples()), 0, tmp_path / name)

    assert content(tmp_path / "a") == content(tmp_path / "b") != {}


def test_encoded_images_pass_through_byte_for_byte(exporter, tmp_path):
    samples = make_samples()
    exporter.write_shard(samples, 0, tmp_path)

    written = b"".join(content(tmp_path).values())

    assert all(sample.image in written for sample in samples)


def test_the_assembled_folder_has_a_card(exporter, tmp_path):
    folder, _ = make_dataset(exporter, tmp_path)

    assert (folder / "README.md").read_text().startswith("---\nlicense: cc0-1.0\n")
    assert CARD.text in (folder / "README.md").read_text()


def test_assembling_twice_gives_the_same_folder(exporter, tmp_path):
    folder, _ = make_dataset(exporter, tmp_path)
    first = content(folder)

    exporter.assemble(sorted((tmp_path / "export").iterdir()), folder, CARD)

    assert content(folder) == first


def test_assembling_leaves_the_shards_as_they_are(exporter, tmp_path):
    folder, _ = make_dataset(exporter, tmp_path)
    before = content(tmp_path / "export")

    exporter.assemble(sorted((tmp_path / "export").iterdir()), folder, CARD)

    assert content(tmp_path / "export") == before


def test_a_missing_shard_is_reported(exporter, tmp_path):
    with pytest.raises(ShardError):
        exporter.assemble([tmp_path / "export" / "000000"], tmp_path / "dataset", CARD)

    assert not (tmp_path / "dataset").exists()


def test_others_read_the_images_and_labels_that_went_in(spec, exporter, tmp_path, load):
    folder, samples = make_dataset(exporter, tmp_path)

    found = READERS[spec.type](folder, load)

    assert sorted(found) == sorted((sample.label, sample.image) for sample in samples)


@pytest.mark.parametrize("name", ["webdataset", "parquet", "record_io"])
def test_formats_that_do_not_group_keep_the_order_of_the_samples(name, tmp_path, load):
    folder, samples = make_dataset(build(ComponentSpec("exporter", name)), tmp_path)

    assert READERS[name](folder, load) == [(sample.label, sample.image) for sample in samples]


def test_the_card_names_files_that_are_there(exporter, tmp_path):
    folder, _ = make_dataset(exporter, tmp_path)
    text = exporter.loading()

    named = set(re.findall(r"[\w*-]+\.(?:rec|idx|lst|tsv|txt|json|parquet|tar|py)\b", text))

    assert len(named) >= 2
    assert [name for name in named if not list(folder.glob(name))] == []


def test_an_empty_shard_is_refused(exporter, tmp_path):
    with pytest.raises(ValueError, match="shard 3: no samples"):
        exporter.write_shard([], 3, tmp_path)


def test_images_of_two_kinds_in_a_shard_are_refused(exporter, tmp_path):
    *samples, last = make_samples(3)

    with pytest.raises(ValueError, match=f"sample {last.key}: "):
        exporter.write_shard([*samples, dataclasses.replace(last, extension="png")], 0, tmp_path)


def test_png_images_pass_through_as_well(exporter, tmp_path):
    samples = make_samples()
    image = encode_png(_pixels())
    samples = [dataclasses.replace(sample, image=image, extension="png") for sample in samples]

    exporter.write_shard(samples, 0, tmp_path)

    assert b"".join(content(tmp_path).values()).count(image) == len(samples)


@pytest.mark.parametrize("changes", [{"key": ""}, {"key": "a/b"}, {"key": "../a"}, {"label": -1}, {"extension": "gif"}])
def test_samples_that_fit_no_format_are_refused(exporter, tmp_path, changes):
    (sample,) = make_samples(1)
    (tmp_path / "shard").mkdir()

    with pytest.raises(ValueError, match=r"sample '?(00000000_0000|\.\./a|a/b|)'?: "):
        exporter.write_shard([dataclasses.replace(sample, **changes)], 0, tmp_path / "shard")

    assert [path for path in tmp_path.iterdir() if path.name != "shard"] == []


def test_no_shards_are_no_dataset(exporter, tmp_path):
    with pytest.raises(ShardError, match="no export shards"):
        exporter.assemble([], tmp_path / "dataset", CARD)


def test_tables_of_what_was_measured_come_along(exporter, tmp_path):
    folder, _ = make_dataset(exporter, tmp_path)

    tables = sorted((tmp_path / "export").glob("*/samples.parquet"))
    assert len(tables) == 2
    assert {path.read_bytes() for path in tables} <= set(content(folder).values())


def _pixels():
    return np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
