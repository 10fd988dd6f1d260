import dataclasses
import json
import re

import pytest

from synth.errors import ShardError
from synth.exporters.image_folder import ImageFolderExporter
from tests.synth.exporters.dataset_folder import CARD, make_dataset, make_samples, write_shard


def numbered(label):
    """Makes a sample of a label."""
    (sample,) = make_samples(1, label)
    return dataclasses.replace(sample, key=f"{label:08d}_0000", label=label)


def test_images_lie_under_their_labels(tmp_path):
    folder, samples = make_dataset(ImageFolderExporter(), tmp_path)

    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.glob("images/*/*")}

    assert found == {f"images/{s.label:08d}/{s.key}.jpg": s.image for s in samples}


def test_folders_are_in_the_order_of_labels_however_they_are_sorted(tmp_path):
    labels = [2, 10, 9, 100, 99_999_999, 0]
    ImageFolderExporter().write_shard([numbered(label) for label in labels], 0, tmp_path)

    names = [path.name for path in (tmp_path / "images").iterdir()]
    natural = sorted(names, key=lambda name: [int(part) for part in re.findall(r"\d+", name)])

    assert sorted(names) == natural == sorted(names, key=int)
    assert [int(name) for name in natural] == sorted(labels)


def test_a_label_of_nine_digits_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"label 100000000, expected 0\.\.99999999"):
        ImageFolderExporter().write_shard([numbered(10**8)], 0, tmp_path)


def test_images_are_links_to_those_of_the_shards(tmp_path):
    folder, _ = make_dataset(ImageFolderExporter(), tmp_path)

    path = "images/00000005/00000005_0001.jpg"
    assert (folder / path).samefile(tmp_path / "export" / "000001" / path)


def test_lists_are_read_as_tface_and_facex_zoo_read_them(tmp_path):
    folder, samples = make_dataset(ImageFolderExporter(), tmp_path)
    expected = [(s.image, s.label) for s in samples]

    of_tface = [line.rstrip().split("\t") for line in (folder / "index_tface.txt").read_text().splitlines()]
    of_facex = [line.strip().split(" ") for line in (folder / "list_facex.txt").read_text().splitlines()]

    for rows in (of_tface, of_facex):
        assert [((folder / path).read_bytes(), int(label)) for path, label in rows] == expected


def test_labels_say_which_identity_they_are(tmp_path):
    folder, _ = make_dataset(ImageFolderExporter(), tmp_path)

    assert json.loads((folder / "labels.json").read_text()) == {str(label): label + 100 for label in range(8)}


def test_datasets_names_the_classes_by_label(tmp_path, load):
    folder, samples = make_dataset(ImageFolderExporter(), tmp_path)

    by_card = load(str(folder))
    by_type = load("imagefolder", data_dir=str(folder / "images"))

    for rows in (by_card, by_type):
        assert rows.features["label"].names == [f"{label:08d}" for label in range(8)]
        assert sorted(rows["label"]) == sorted(sample.label for sample in samples)


def test_a_key_that_was_used_twice_is_refused(tmp_path):
    (sample,) = make_samples(1)

    with pytest.raises(ValueError, match="sample 00000000_0000: its key was used twice"):
        ImageFolderExporter().write_shard([sample, sample], 0, tmp_path)


def test_a_key_in_two_shards_is_reported(tmp_path):
    exporter = ImageFolderExporter()
    shards = [write_shard(exporter, tmp_path, number, make_samples(3)) for number in (0, 1)]

    with pytest.raises(ShardError, match=r"000001/images/.*: another shard holds a file of this name"):
        exporter.assemble(shards, tmp_path / "dataset", CARD)

    assert not (tmp_path / "dataset").exists()


@pytest.mark.parametrize("name", ["images/00000005/00000005_0001.jpg", "index_tface.txt", "samples.parquet"])
def test_a_shard_without_a_file_is_reported_and_the_old_folder_stays(tmp_path, name):
    folder, _ = make_dataset(ImageFolderExporter(), tmp_path)
    shards = sorted((tmp_path / "export").iterdir())
    (shards[1] / name).unlink()

    with pytest.raises(ShardError, match=name):
        ImageFolderExporter().assemble(shards, folder, CARD)

    assert len(list(folder.glob("images/*/*.jpg"))) == 24
