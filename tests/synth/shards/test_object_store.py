"""Folders in stores, on fsspec's file system in memory and on the local one."""

import json
import uuid

import fsspec
import pytest

from synth.errors import ShardError
from synth.shards.object_store import ObjectFolder, is_url


@pytest.fixture(params=["memory", "file"])
def url(request, tmp_path):
    return f"memory://{uuid.uuid4().hex}/set" if request.param == "memory" else f"file://{tmp_path}/store/set"


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "made"
    (made / "sub").mkdir(parents=True)
    for name in ("a.tar", "b.tar", "sub/c.jpg", "index.json"):
        (made / name).write_bytes(name.encode() * 3)
    return made


def content(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_place_is_a_url_or_a_path():
    assert is_url("s3://bucket/set")
    assert not is_url("runs/demo")
    assert not is_url("/data/a:b")


def test_a_folder_comes_back_as_it_was_sent(url, folder, tmp_path):
    store = ObjectFolder(url)
    assert store.sizes() == {}

    store.send(folder)

    assert store.sizes() == {name: len(data) for name, data in content(folder).items()}
    assert content(store.fetch(tmp_path / "back")) == content(folder)


def test_what_comes_last_is_sent_last(folder, monkeypatch):
    store = ObjectFolder(f"memory://{uuid.uuid4().hex}")
    sent = []
    put = store._files.put_file
    monkeypatch.setattr(store._files, "put_file", lambda here, there: (sent.append(there), put(here, there)))

    store.send(folder, last=("index.json", "not there"))

    assert [name.rpartition("/")[2] for name in sent] == ["a.tar", "b.tar", "c.jpg", "index.json"]


def test_only_what_is_missing_or_has_another_size_is_fetched_again(url, folder, tmp_path):
    store = ObjectFolder(url)
    store.send(folder)
    back = store.fetch(tmp_path / "back")
    (back / "a.tar").write_bytes(b"cut")
    kept = (back / "b.tar").stat().st_ino

    store.fetch(back)

    assert content(back) == content(folder)
    assert (back / "b.tar").stat().st_ino == kept


def test_tars_that_the_store_does_not_hold_any_more_go(url, folder, tmp_path):
    store = ObjectFolder(url)
    store.send(folder)
    back = store.fetch(tmp_path / "back")
    store.remove(["b.tar"])

    store.fetch(back)

    assert not (back / "b.tar").exists()


def test_a_fetch_that_breaks_off_leaves_no_half_file_and_goes_on(folder, tmp_path, monkeypatch):
    store = ObjectFolder(f"memory://{uuid.uuid4().hex}")
    store.send(folder)
    get = store._files.get_file

    def breaks(there, here):
        if there.endswith("b.tar"):
            raise OSError("connection lost")
        get(there, here)

    monkeypatch.setattr(store._files, "get_file", breaks)
    with pytest.raises(ShardError, match=r"/b.tar: cannot read it: connection lost; try again to go on"):
        store.fetch(tmp_path / "back")
    assert sorted(content(tmp_path / "back")) == ["a.tar"]

    monkeypatch.undo()
    assert content(store.fetch(tmp_path / "back")) == content(folder)


def test_json_is_read_and_written(url):
    store = ObjectFolder(url)
    store.put_json("note.json", {"a": [1]})

    assert store.json("note.json") == {"a": [1]}
    assert store.json("none.json") is None
    with fsspec.open(f"{url}/bad.json", "wb") as file:
        file.write(b"{")
    assert store.json("bad.json") is None
    assert json.loads(fsspec.open(f"{url}/note.json").open().read()) == {"a": [1]}


def test_an_empty_place_and_an_unknown_protocol_are_errors(tmp_path):
    with pytest.raises(ShardError, match="holds nothing; name the folder"):
        ObjectFolder(f"memory://{uuid.uuid4().hex}").fetch(tmp_path / "back")
    with pytest.raises(ShardError, match=r"gopher://x: cannot be opened"):
        ObjectFolder("gopher://x")
