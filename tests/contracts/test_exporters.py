"""What every exporter in synth/exporters must do."""

import pytest

from synth.components import ComponentSpec, available, build
from synth.errors import ShardError
from tests.synth.exporters.dataset_folder import CARD, make_dataset, make_samples

EXPORTERS = available("exporter")


@pytest.fixture(params=EXPORTERS)
def exporter(request):
    return build(ComponentSpec("exporter", request.param))


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
