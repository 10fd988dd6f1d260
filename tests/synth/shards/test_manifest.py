import hashlib
import json

import pytest

from synth.digests import sha256_of
from synth.errors import ShardError
from synth.shards.manifest import FileRecord, ShardRecord, Task, damage, describe_files, write_manifest


def make_shard(folder, shard=3):
    (folder / "deep").mkdir(parents=True)
    (folder / "images.tar").write_bytes(b"tar")
    (folder / "deep" / "a.npy").write_bytes(b"array")
    record = ShardRecord(
        task=Task(shard, 0, 10),
        fingerprint="f00",
        counts={"images": 10},
        files=describe_files(folder),
        seconds=1.5,
        versions={"numpy": "2"},
    )
    record.write(folder)
    return record


def test_a_record_comes_back(tmp_path):
    record = make_shard(tmp_path / "a")

    assert ShardRecord.read(tmp_path / "a") == record


def test_files_are_described_by_relative_name_without_the_record_itself(tmp_path):
    record = make_shard(tmp_path / "a")

    assert describe_files(tmp_path / "a") == record.files
    assert record.files == {
        "deep/a.npy": FileRecord(5, hashlib.sha256(b"array").hexdigest()),
        "images.tar": FileRecord(3, hashlib.sha256(b"tar").hexdigest()),
    }


def test_an_intact_shard_has_no_damage(tmp_path):
    record = make_shard(tmp_path / "a")

    assert damage(tmp_path / "a", record) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"tax", "SHA-256"), (b"longer", "6 bytes, the record says 3"), (None, "missing")],
    ids=["altered byte", "other size", "removed"],
)
def test_damage_to_a_file_is_named(tmp_path, content, message):
    record = make_shard(tmp_path / "a")
    path = tmp_path / "a" / "images.tar"
    path.unlink() if content is None else path.write_bytes(content)

    (line,) = damage(tmp_path / "a", record)

    assert line.startswith(str(path))
    assert message in line


def test_a_file_that_nobody_recorded_is_damage(tmp_path):
    record = make_shard(tmp_path / "a")
    (tmp_path / "a" / "extra.txt").write_text("")

    assert damage(tmp_path / "a", record) == [f"{tmp_path / 'a' / 'extra.txt'}: not in the record"]


@pytest.mark.parametrize("text", [None, "", "{", "[]", "{}", '{"task": {"shard": 1}}', '{"task": 1, "files": {}}'])
def test_an_unreadable_record_is_a_shard_error_with_a_way_out(tmp_path, text):
    make_shard(tmp_path / "a")
    path = tmp_path / "a" / "shard.json"
    path.unlink() if text is None else path.write_text(text)

    with pytest.raises(ShardError, match=r"shard\.json: not a readable shard record .* run again"):
        ShardRecord.read(tmp_path / "a")


def test_the_manifest_lists_records_in_shard_order(tmp_path):
    records = [make_shard(tmp_path / str(shard), shard) for shard in (2, 0, 1)]

    write_manifest(tmp_path / "manifest.json", records)

    listed = json.loads((tmp_path / "manifest.json").read_text())
    assert [entry["task"]["shard"] for entry in listed] == [0, 1, 2]
    assert list(tmp_path.glob("*.tmp")) == []


def test_sha256_is_that_of_the_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 100_000)

    assert sha256_of(tmp_path / "a") == hashlib.sha256(b"x" * 100_000).hexdigest()
