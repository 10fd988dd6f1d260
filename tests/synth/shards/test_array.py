import errno
from pathlib import Path

import numpy as np
import pytest

from synth.errors import ShardError
from synth.shards.array import read_array, write_array


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype=np.float32).reshape(3, 4),
        np.arange(12, dtype=np.float16).reshape(3, 4).T,
        np.zeros((0, 5), np.int64),
    ],
    ids=["plain", "transposed", "empty"],
)
def test_the_bytes_are_those_numpy_writes_for_a_contiguous_array(array, tmp_path):
    write_array(tmp_path / "ours.npy", array)
    np.save(tmp_path / "theirs.npy", np.ascontiguousarray(array))

    assert (tmp_path / "ours.npy").read_bytes() == (tmp_path / "theirs.npy").read_bytes()
    np.testing.assert_array_equal(np.load(tmp_path / "ours.npy"), array)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_told_by_its_error_number():
    with pytest.raises(OSError, match="No space left") as caught:
        write_array(Path("/dev/full"), np.zeros((3000, 100)))

    assert caught.value.errno == errno.ENOSPC


@pytest.mark.parametrize("data", [b"", b"\x93NUMPY", b"garbage", b"\x93NUMPY\1\0\x08\0(((((((\n"])
def test_a_damaged_array_is_named(data, tmp_path):
    (tmp_path / "a.npy").write_bytes(data)

    with pytest.raises(ShardError, match=r"a\.npy: cannot be read as an array") as told:
        read_array(tmp_path / "a.npy")

    assert "pickle" not in str(told.value)


def test_what_was_written_is_read_back(tmp_path):
    write_array(tmp_path / "a.npy", np.arange(6.0).reshape(2, 3))

    assert read_array(tmp_path / "a.npy").tolist() == [[0, 1, 2], [3, 4, 5]]
