import os
import time

import pytest

from pipelines.file_hashes import FileHashes
from synth.digests import sha256_of


@pytest.fixture
def weights(tmp_path):
    """A file that was last changed an hour ago."""
    path = tmp_path / "weights.bin"
    path.write_bytes(b"weights")
    age(path, 3600)
    return path


def age(path, seconds):
    then = time.time_ns() - int(seconds * 1e9)
    os.utime(path, ns=(then, then))


def remembered(tmp_path, path):
    hashes = FileHashes(tmp_path / "hashes.json")
    digest = hashes.of(path)
    hashes.save()
    return digest


def test_a_hash_is_that_of_the_content(tmp_path, weights):
    assert FileHashes().of(weights) == sha256_of(weights)
    assert remembered(tmp_path, weights) == sha256_of(weights)


def test_an_unchanged_file_is_not_read_again(tmp_path, weights):
    digest = remembered(tmp_path, weights)
    stored = (tmp_path / "hashes.json").read_text()
    (tmp_path / "hashes.json").write_text(stored.replace(digest, "0" * 64))  # only what is remembered can say this

    assert remembered(tmp_path, weights) == "0" * 64


def test_a_changed_file_is_read_again(tmp_path, weights):
    before = remembered(tmp_path, weights)
    with weights.open("r+b") as file:
        file.write(b"WEIGHTS")
    age(weights, 10)

    assert remembered(tmp_path, weights) == sha256_of(weights) != before


def test_a_replaced_file_of_the_same_size_and_time_is_read_again(tmp_path, weights):
    before = remembered(tmp_path, weights)
    status = weights.stat()
    (tmp_path / "new").write_bytes(b"WEIGHTS")
    os.utime(tmp_path / "new", ns=(status.st_atime_ns, status.st_mtime_ns))
    (tmp_path / "new").replace(weights)

    assert remembered(tmp_path, weights) == sha256_of(weights) != before


def test_a_file_changed_just_now_is_not_remembered(tmp_path, weights):
    age(weights, 0)

    remembered(tmp_path, weights)

    assert not (tmp_path / "hashes.json").exists()


@pytest.mark.parametrize("content", ["", "[]", "[1]", '{"a": 1}', "{"])
def test_a_damaged_memory_counts_as_none(tmp_path, weights, content):
    (tmp_path / "hashes.json").write_text(content)

    assert remembered(tmp_path, weights) == sha256_of(weights)
    assert sha256_of(weights) in (tmp_path / "hashes.json").read_text()


def test_a_file_written_over_with_its_time_set_back_is_read_again(tmp_path, weights):
    before = remembered(tmp_path, weights)
    status = weights.stat()
    with weights.open("r+b") as file:
        file.write(b"WEIGHTS")
    os.utime(weights, ns=(status.st_atime_ns, status.st_mtime_ns))

    assert remembered(tmp_path, weights) == sha256_of(weights) != before
