import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from synth.whole_files import whole_file

ROOT = Path(__file__).parents[2]
KILLED = """
import os, signal, sys
from pathlib import Path
from synth.whole_files import whole_file

with whole_file(Path(sys.argv[1])) as unfinished:
    unfinished.write_bytes(b"ne")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_file_appears_at_the_end_and_alone(tmp_path):
    path = tmp_path / "file.bin"

    with whole_file(path) as unfinished:
        unfinished.write_bytes(b"new")
        assert not path.exists()

    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def break_off(path):
    with whole_file(path) as unfinished:
        unfinished.write_bytes(b"ne")
        raise ValueError("half")


def test_after_an_error_the_earlier_file_is_there_and_nothing_else(tmp_path):
    path = tmp_path / "file.bin"
    path.write_bytes(b"old")

    with pytest.raises(ValueError, match="half"):
        break_off(path)

    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def write(path):
    with whole_file(path) as unfinished:
        unfinished.write_bytes(b"new")


def test_a_place_where_no_file_can_be_is_named(tmp_path):
    with pytest.raises(FileNotFoundError) as missing:
        write(tmp_path / "none" / "file.bin")
    with pytest.raises(IsADirectoryError) as folder:
        write(tmp_path)

    assert (missing.value.filename, missing.value.filename2) == (str(tmp_path / "none" / "file.bin"), None)
    assert (folder.value.filename, folder.value.filename2) == (str(tmp_path), None)
    assert list(tmp_path.iterdir()) == []


def test_after_a_kill_the_earlier_file_is_whole(tmp_path):
    path = tmp_path / "file.bin"
    path.write_bytes(b"old")

    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(path)], env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False
    )

    assert killed.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old"
