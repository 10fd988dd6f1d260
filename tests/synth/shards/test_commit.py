import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from synth.errors import RunError
from synth.shards.commit import commit_directory, replace_directory, replace_file, restore_directory


def commit(tmp_path, text):
    with commit_directory(tmp_path / "generate" / "000003", tmp_path / "scratch") as out:
        (out / "deep").mkdir()
        (out / "deep" / "a.txt").write_text(text)


def write_half(directory):
    with directory as out:
        (out / "half.txt").write_text("half")
        raise RuntimeError("disk on fire")


def test_a_committed_directory_is_whole_and_scratch_is_empty(tmp_path):
    commit(tmp_path, "first")

    assert (tmp_path / "generate" / "000003" / "deep" / "a.txt").read_text() == "first"
    assert list((tmp_path / "scratch").iterdir()) == []


def test_nothing_is_visible_before_the_end(tmp_path):
    with commit_directory(tmp_path / "generate" / "000003", tmp_path / "scratch") as out:
        (out / "a.txt").write_text("half")
        assert not (tmp_path / "generate").exists()
        assert out.name.startswith("generate.000003.")


def test_the_first_commit_wins_and_the_late_twin_is_removed(tmp_path):
    commit(tmp_path, "first")
    commit(tmp_path, "second")

    assert (tmp_path / "generate" / "000003" / "deep" / "a.txt").read_text() == "first"
    assert list((tmp_path / "scratch").iterdir()) == []


def test_an_exception_in_the_middle_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError, match="disk on fire"):
        write_half(commit_directory(tmp_path / "generate" / "000003", tmp_path / "scratch"))

    assert not (tmp_path / "generate").exists()
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_kill_in_the_middle_leaves_scratch_only(tmp_path):
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from synth.shards.commit import commit_directory\n"
        "with commit_directory(Path('generate/000003'), Path('scratch')) as out:\n"
        "    (out / 'a.txt').write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )

    assert ended.returncode == -signal.SIGKILL
    assert not (tmp_path / "generate").exists()
    assert len(list((tmp_path / "scratch").iterdir())) == 1


def test_an_empty_directory_cannot_be_committed(tmp_path):
    with (
        pytest.raises(ValueError, match="nothing was written"),
        commit_directory(tmp_path / "generate" / "000003", tmp_path / "scratch"),
    ):
        pass

    assert not (tmp_path / "generate").exists()


def test_a_file_in_the_way_is_an_error_with_a_way_out(tmp_path):
    (tmp_path / "generate").mkdir()
    (tmp_path / "generate" / "000003").write_text("a file")

    with pytest.raises(RunError, match="000003: cannot be committed"):
        commit(tmp_path, "first")

    assert list((tmp_path / "scratch").iterdir()) == []


def test_replacing_a_directory_leaves_the_new_one_alone(tmp_path):
    for text in ("first", "second"):
        with replace_directory(tmp_path / "dataset") as folder:
            (folder / f"{text}.txt").write_text(text)

    assert [path.name for path in tmp_path.rglob("*")] == ["dataset", "second.txt"]


def test_a_failed_replacement_leaves_the_old_one(tmp_path):
    with replace_directory(tmp_path / "dataset") as folder:
        (folder / "first.txt").write_text("first")

    with pytest.raises(RuntimeError, match="disk on fire"):
        write_half(replace_directory(tmp_path / "dataset"))

    assert [path.name for path in tmp_path.rglob("*")] == ["dataset", "first.txt"]


def test_a_crash_between_the_two_renames_loses_nothing(tmp_path):
    final = tmp_path / "dataset"
    with replace_directory(final) as folder:
        (folder / "first.txt").write_text("first")
    final.rename(tmp_path / ".dataset.old")
    (tmp_path / ".dataset.new").mkdir()

    restore_directory(final)

    assert [path.name for path in final.iterdir()] == ["first.txt"]


def test_a_new_folder_that_cannot_be_put_in_place_leaves_the_old_one(tmp_path, monkeypatch):
    final = tmp_path / "dataset"
    with replace_directory(final) as folder:
        (folder / "first.txt").write_text("first")
    rename = Path.rename

    def broken(path, target):
        if path.name.endswith(".new"):
            raise OSError("disk on fire")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", broken)
    with pytest.raises(OSError, match="disk on fire"), replace_directory(final) as folder:
        (folder / "second.txt").write_text("second")

    assert [path.name for path in tmp_path.rglob("*")] == ["dataset", "first.txt"]


def test_what_a_crash_left_over_is_removed(tmp_path):
    for name in (".dataset.new", ".dataset.old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "torn.txt").write_text("")

    with replace_directory(tmp_path / "dataset") as folder:
        (folder / "a.txt").write_text("")

    assert [path.name for path in tmp_path.iterdir()] == ["dataset"]


def test_a_file_that_cannot_be_written_leaves_only_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "page.html"
    replace_file(path, b"old")

    def full(self, data):
        with self.open("wb") as file:
            file.write(data[:1])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="space"):
        replace_file(path, b"new")

    assert [found.name for found in tmp_path.iterdir()] == ["page.html"]
    assert path.read_bytes() == b"old"
