import hashlib

import pytest

from synth.digests import sha256_of


@pytest.mark.parametrize("content", [b"", b"weights", bytes(range(256)) * 5000])
def test_a_files_hash_is_that_of_its_bytes(tmp_path, content):
    (tmp_path / "a.bin").write_bytes(content)

    assert sha256_of(tmp_path / "a.bin") == hashlib.sha256(content).hexdigest()


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        sha256_of(tmp_path / "none.bin")
