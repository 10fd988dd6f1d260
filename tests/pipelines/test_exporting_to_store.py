"""Datasets are exported to stores, and trained on from there."""

import uuid

import pytest

from pipelines.exporting import MARKER, export_run
from pipelines.exporting_to_store import export_to_store
from pipelines.training.schema import DataSection
from synth.errors import RunError, ShardError
from synth.shards.object_store import ObjectFolder
from tests.toy import Silent, run_toy, synth


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return run_toy(tmp_path_factory.mktemp("runs") / "toy")[0]


@pytest.fixture
def url():
    return f"memory://{uuid.uuid4().hex}/set"


def content(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", ["webdataset", "image_folder"])
def test_a_store_holds_what_a_folder_would(run, url, tmp_path, kind):
    export_run(run, tmp_path / "local", kind, Silent())

    done = export_to_store(run, url, kind, Silent())

    assert content(ObjectFolder(url).fetch(tmp_path / "back")) == content(tmp_path / "local")
    assert (done.place, done.samples) == (url, 40)
    assert [path.name for path in run.root.parent.iterdir() if path.name.startswith(".")] == []


def test_an_earlier_export_is_replaced_only_when_asked_and_nothing_of_it_stays(run, url, tmp_path):
    export_to_store(run, url, "image_folder", Silent())
    with pytest.raises(RunError, match="holds an earlier export; add --replace"):
        export_to_store(run, url, "webdataset", Silent())

    export_to_store(run, url, "webdataset", Silent(), replace=True)

    export_run(run, tmp_path / "local", "webdataset", Silent())
    assert content(ObjectFolder(url).fetch(tmp_path / "back")) == content(tmp_path / "local")


def test_a_folder_of_somebody_else_is_left_alone(run, url):
    ObjectFolder(url).put_json("precious.json", {})

    with pytest.raises(RunError, match=r"holds 'precious.json', which no earlier export made"):
        export_to_store(run, url, "webdataset", Silent(), replace=True)

    assert list(ObjectFolder(url).sizes()) == ["precious.json"]


def test_an_export_that_broke_off_has_no_index_and_is_sent_again(run, url, tmp_path, monkeypatch):
    store_class = type(ObjectFolder(url)._files)
    put = store_class.put_file

    def breaks(self, here, there, **options):
        if there.endswith("README.md"):
            raise OSError("connection lost")
        return put(self, here, there, **options)

    monkeypatch.setattr(store_class, "put_file", breaks)
    with pytest.raises(ShardError, match="connection lost"):
        export_to_store(run, url, "webdataset", Silent())
    assert {"index.json", "README.md"}.isdisjoint(ObjectFolder(url).sizes())
    assert MARKER in ObjectFolder(url).sizes()

    monkeypatch.undo()
    export_to_store(run, url, "webdataset", Silent(), replace=True)
    export_run(run, tmp_path / "local", "webdataset", Silent())
    assert content(ObjectFolder(url).fetch(tmp_path / "back")) == content(tmp_path / "local")


def test_the_command_takes_a_url_of_the_local_disk_for_a_folder(run, tmp_path):
    done = synth("export", run.root, f"file://{tmp_path}/out", "--type", "webdataset")

    assert done.returncode == 0, done.stderr
    assert f"{tmp_path}/out: 40 images of 10 identities" in done.stdout
    assert (tmp_path / "out" / "index.json").is_file()


def test_a_dataset_in_a_store_has_a_local_folder_of_its_own(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first, second = (
        DataSection(dataset=f"s3://bucket/{name}/dataset", held_out_identities=2) for name in ("one", "two")
    )

    assert first.folder.parent == tmp_path / "synth"
    assert first.folder != second.folder
    assert (first.name, second.name) == ("one", "two")
    assert DataSection(dataset="s3://b/x", held_out_identities=2, cache="here").folder.name == "here"
    assert str(DataSection(dataset="runs/demo/dataset", held_out_identities=2).folder) == "runs/demo/dataset"
