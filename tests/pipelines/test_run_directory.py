import socket
import subprocess
import sys

import pytest

from pipelines.fingerprint import Fingerprint
from pipelines.run_directory import RunDirectory, require_shard
from synth.errors import RunError, RunLockedError, ShardError
from synth.shards.manifest import ShardRecord, Task

TASK = Task(3, 30, 40)


def shard_of(run, digest, task=TASK):
    path = run.shard("generate", task.shard)
    path.mkdir(parents=True)
    ShardRecord(task=task, fingerprint=digest, counts={}, files={}).write(path)
    return path


def test_only_shards_of_the_stages_fingerprint_are_committed(tmp_path):
    run = RunDirectory(tmp_path)
    run.begin("generate", Fingerprint({"a": 1}, "now"))
    shard_of(run, "now")
    shard_of(run, "before", Task(4, 40, 50))

    assert list(run.committed("generate")) == [3]
    assert run.holds("generate", TASK)
    assert not run.holds("generate", Task(3, 30, 41))
    assert not run.holds("generate", Task(4, 40, 50))
    assert not run.holds("generate", Task(5, 50, 60))


def test_what_a_stage_was_made_with_comes_back(tmp_path):
    run = RunDirectory(tmp_path)

    assert run.made_with("generate") is None
    run.begin("generate", Fingerprint({"seed": 7}, "now"))

    assert run.made_with("generate") == ("now", {"seed": 7})


def test_a_lock_is_held_once_and_freed_at_the_end(tmp_path):
    run = RunDirectory(tmp_path / "run")

    with run.lock(), pytest.raises(RunLockedError, match="works on it"), run.lock():
        pass
    with run.lock():
        assert not run.scratch.exists()


def test_many_may_read_a_run_while_no_driver_works_on_it(tmp_path):
    run = RunDirectory(tmp_path / "run")
    with run.lock():
        pass

    with run.shared_lock(), run.shared_lock(), pytest.raises(RunLockedError, match="works on it"), run.lock():
        pass
    with run.lock(), pytest.raises(RunLockedError, match=r"process .* works on it"), run.shared_lock():
        pass


def test_a_lock_names_nobody_who_is_gone(tmp_path):
    run = RunDirectory(tmp_path / "run")
    with pytest.raises(RuntimeError, match="stopped"), run.lock():
        raise RuntimeError("stopped")
    assert (run.root / "run.lock").read_bytes() == b""

    gone = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True)
    (run.root / "run.lock").write_text(f"process {gone.stdout.strip()} on {socket.gethostname()}\n")
    with run.shared_lock(), pytest.raises(RunLockedError, match="another process works on it"), run.lock():
        pass


def test_a_run_that_was_never_locked_can_be_read(tmp_path):
    with RunDirectory(tmp_path).shared_lock():
        pass

    assert list(tmp_path.iterdir()) == []


def test_a_lock_wipes_what_was_left_over(tmp_path):
    run = RunDirectory(tmp_path)
    with run.lock():
        pass
    (run.scratch / "generate.000001.torn").mkdir(parents=True)
    run.stage("sample").mkdir()
    torn = [run.stage("sample") / "manifest.json.tmp", run.root / "run.json.tmp"]
    for path in torn:
        path.touch()

    with run.lock():
        assert not run.scratch.exists()
        assert not any(path.exists() for path in torn)


def test_what_is_discarded_is_gone_whole(tmp_path):
    run = RunDirectory(tmp_path)
    path = shard_of(run, "now")

    run.discard(path)
    run.discard(path)  # nothing left, nothing happens

    assert not path.exists()
    assert list(run.scratch.iterdir()) == []


def test_a_folder_that_is_no_run_is_told(tmp_path):
    with pytest.raises(RunError, match="not a run directory"):
        RunDirectory(tmp_path).read_run()


def test_a_missing_shard_is_named(tmp_path):
    with pytest.raises(ShardError, match="000002: missing; run again"):
        require_shard(RunDirectory(tmp_path), "measure", 2)
