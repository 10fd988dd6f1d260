"""What is published, as a stranger finds it."""

import io
import json
import os
import re
import subprocess
import sys

import pyarrow.parquet as pq
import pytest
import yaml
from PIL import Image

from pipelines.publishing.publication import Publication
from pipelines.publishing.publish import publish
from synth.digests import sha256_of
from synth.images import TRAINED_ALGORITHMIC_MEDIA, provenance
from synth.shards.tar import TarReader
from tests.fakes import PaintedRecogniser
from tests.toy import CONFIG, run_toy

REPO = "me/faces"
READ_ONE = {
    "datasets": "sample = next(iter(faces))\nprint(sample['jpg'].size, sample['cls'], sample['json']['synthetic'])",
    "webdataset": "image, label = next(iter(faces))\nprint(image.shape, label, len(list(faces)))",
}


class Unlicensed(PaintedRecogniser):
    """Whose licence nobody stated."""

    license = ""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return run_toy(tmp_path_factory.mktemp("runs") / "toy")[0]


@pytest.fixture(scope="module")
def folder(run, tmp_path_factory):
    """The published folder, at the place that its card names, as a copy of the repository would be."""
    return published(run, tmp_path_factory.mktemp("copies"))


def published(run, place, **settings):
    publish(run, Publication(repo_id=REPO, **settings), to=place / REPO, without_audit=True)
    return place / REPO


def front_matter(folder):
    return yaml.safe_load((folder / "README.md").read_text().split("---\n")[1])


def croissant_of(folder):
    return json.loads((folder / "croissant.json").read_text())


@pytest.mark.parametrize("library", READ_ONE)
def test_the_snippets_of_the_card_work_as_they_stand(folder, tmp_path, library):
    blocks = re.findall(r"^```python\n(.*?)^```", (folder / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    (snippet,) = [block for block in blocks if re.search(rf"^(from|import) {library}\b", block, re.MULTILINE)]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}

    done = subprocess.run(
        [sys.executable, "-c", f"{snippet}\n{READ_ONE[library]}"],
        cwd=folder.parents[1],
        env=environment,
        capture_output=True,
        text=True,
    )

    with TarReader(folder / "train-000000.tar") as tar:
        first = next(tar.samples())
    expected = {
        "datasets": f"(112, 112) {int(first['cls'])} True",
        "webdataset": f"(112, 112, 3) {int(first['cls'])} 40",
    }
    assert done.stdout.strip() == expected[library], done.stderr


def test_the_shards_are_those_of_the_run_and_take_no_room(run, folder):
    shared = sorted(path.name for path in run.dataset.iterdir() if path.name != "README.md")

    assert len(shared) == 7
    assert all((folder / name).samefile(run.dataset / name) for name in shared)
    assert sorted({path.name for path in folder.iterdir()} - set(shared)) == [
        "README.md",
        "croissant.json",
        "preview.jpg",
    ]


def test_the_card_keeps_the_types_of_the_fields_and_adds_the_gate(run, folder):
    fields, own = front_matter(folder), front_matter(run.dataset)

    assert {name: fields[name] for name in ("configs", "dataset_info")} == {
        name: own[name] for name in ("configs", "dataset_info")
    }
    assert (fields["license"], fields["pretty_name"]) == ("cc0-1.0", "faces")
    assert "agree not to use them to identify" in fields["extra_gated_prompt"]
    assert fields["extra_gated_fields"]["I agree"] == "checkbox"
    text = (folder / "README.md").read_text()
    assert "](preview.jpg)" in text
    assert "No audit was made of this dataset" in text
    assert "--revision v1 --local-dir me/faces`" in text


def test_an_ungated_card_asks_nothing_and_a_strange_licence_is_linked(tmp_path):
    text = CONFIG.replace("tests.fakes.PaintedRecogniser", "tests.pipelines.publishing.test_folder.Unlicensed")
    run, _ = run_toy(tmp_path / "toy", text=text)

    folder = published(run, tmp_path, gated=False)

    fields = front_matter(folder)
    assert "extra_gated_prompt" not in fields
    assert (fields["license"], fields["license_name"]) == ("other", "not-stated")
    assert fields["license_link"] == "https://huggingface.co/datasets/me/faces#licences"
    assert croissant_of(folder)["license"] == fields["license_link"]


def test_the_preview_shows_kept_faces_and_says_that_they_are_synthetic(folder):
    data = (folder / "preview.jpg").read_bytes()

    assert provenance(data) == TRAINED_ALGORITHMIC_MEDIA
    assert Image.open(io.BytesIO(data)).size == (4 * 128, 10 * 128)


def test_the_description_lists_each_file_with_size_and_hash(run, folder):
    content = croissant_of(folder)

    files = {node["name"]: node for node in content["distribution"] if node["@type"] == "cr:FileObject"}
    assert sorted(files) == sorted(path.name for path in run.dataset.iterdir() if path.name != "README.md")
    for name, node in files.items():
        assert node["sha256"] == sha256_of(folder / name)
        assert node["contentSize"] == f"{(folder / name).stat().st_size} B"
        assert (folder / node["contentUrl"]).is_file()
    assert files["train-000000.tar"]["encodingFormat"] == "application/x-tar"
    assert content["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    assert content["license"] == "https://spdx.org/licenses/CC0-1.0.html"
    assert content["version"] == "1.0.0"


def test_the_description_names_the_places_where_records_are(folder):
    content = croissant_of(folder)
    sets = {node["@id"]: node for node in content["distribution"] if node["@type"] == "cr:FileSet"}
    samples, images = content["recordSet"]

    assert sorted(path.name for path in folder.glob(sets["table-files"]["includes"])) == [
        f"train-{number:06d}.parquet" for number in range(3)
    ]
    assert [entry["@id"] for entry in sets["image-files"]["containedIn"]] == [
        f"train-{number:06d}.tar" for number in range(3)
    ]
    table = pq.read_schema(folder / "train-000000.parquet")
    assert [field["source"]["extract"]["column"] for field in samples["field"]] == table.names
    kinds = {field["name"]: (field["dataType"], field.get("repeated", False)) for field in samples["field"]}
    assert kinds["label"] == ("sc:Integer", False)
    assert kinds["detection"] == ("sc:Float", False)
    assert kinds["embedding"] == ("sc:Float", True)
    key = next(field for field in images["field"] if field["name"] == "key")
    with TarReader(folder / "train-000000.tar") as tar:
        names = [name for name, _, _ in tar.members() if name.endswith(".jpg")]
    assert all(re.search(key["source"]["transform"]["regex"], name)[1] == name[:-4] for name in names)


def test_each_name_in_the_description_is_used_once_and_each_reference_leads_somewhere(folder):
    content = croissant_of(folder)
    nodes = [*content["distribution"], *content["recordSet"]]
    nodes += [field for record_set in content["recordSet"] for field in record_set["field"]]
    names = [node["@id"] for node in nodes]
    used = [field["source"]["fileSet"]["@id"] for node in content["recordSet"] for field in node["field"]]

    assert len(names) == len(set(names))
    assert set(used) <= set(names)


@pytest.mark.parametrize(("kind", "tables"), [("parquet", "samples-*.parquet"), ("record_io", "samples-*.parquet")])
def test_other_formats_are_published_as_well(tmp_path, kind, tables):
    run, _ = run_toy(tmp_path / "toy", text=CONFIG.replace("type: webdataset", f"type: {kind}"))

    folder = published(run, tmp_path)

    own = {path.name for path in run.dataset.iterdir()}
    assert {path.name for path in folder.iterdir()} == own | {"croissant.json", "preview.jpg"}
    content = croissant_of(folder)
    includes = [node["includes"] for node in content["distribution"] if node["@type"] == "cr:FileSet"]
    assert includes[0] == tables
    assert [node["@id"] for node in content["recordSet"]] == (
        ["samples", "images"] if kind == "parquet" else ["samples"]
    )
    assert "path/to/this/folder" not in (folder / "README.md").read_text()
