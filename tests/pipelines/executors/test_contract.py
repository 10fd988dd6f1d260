"""What every executor promises."""

import json

import pytest

from pipelines.executors.base import TaskFailure
from pipelines.executors.local import LocalExecutor
from pipelines.fingerprint import Fingerprint
from pipelines.run_directory import RunDirectory
from pipelines.runner import run_stage
from synth.digests import sha256_of
from synth.errors import DiskFullError, TasksFailedError, WeightsError
from tests.pipelines.executors.components import Numbers
from tests.toy import Silent

EXECUTORS = [pytest.param(1, id="local-1"), pytest.param(2, id="local-2")]


@pytest.fixture
def run(tmp_path):
    directory = RunDirectory(tmp_path / "run")
    directory.begin("generate", Fingerprint({}, "digest"))
    return directory


def tries(folder):
    return {int(path.suffix[1:]): path.stat().st_size for path in folder.glob("tried.*")}


@pytest.mark.parametrize("workers", EXECUTORS)
def test_every_task_becomes_one_shard_with_the_same_bytes(run, tmp_path, workers):
    made = run_stage(run, Numbers(tmp_path), LocalExecutor(workers), Silent())

    assert made == 6
    assert [path.name for path in run.shards("generate")] == [f"{k:06d}" for k in range(6)]
    assert (run.shard("generate", 2) / "numbers.txt").read_text() == "20 21 22 23 24 25 26 27 28 29"
    record = run.committed("generate")[2]
    assert record.files["numbers.txt"].sha256 == sha256_of(run.shard("generate", 2) / "numbers.txt")
    assert list(run.scratch.iterdir()) == []


@pytest.mark.parametrize("workers", EXECUTORS)
def test_committed_shards_are_not_made_again(run, tmp_path, workers):
    run_stage(run, Numbers(tmp_path, count=3), LocalExecutor(1), Silent())

    run_stage(run, Numbers(tmp_path), LocalExecutor(workers), Silent())

    assert tries(tmp_path) == dict.fromkeys(range(6), 1)


def test_one_worker_in_a_process_of_its_own_may_die(run, tmp_path):
    made = run_stage(run, Numbers(tmp_path, dies=(1,)), LocalExecutor(1, in_this_process=False), Silent())

    assert made == 6
    assert tries(tmp_path) == {0: 1, 1: 2, 2: 1, 3: 1, 4: 1, 5: 1}


@pytest.mark.parametrize("workers", EXECUTORS)
def test_a_task_that_raises_is_not_retried_and_is_written_down(run, tmp_path, workers):
    report = run.failed / "generate.000001.json"
    stage = Numbers(tmp_path, raises=(1,), until=report)

    with pytest.raises(TasksFailedError, match=r"generate.000001: ValueError: shard 1 is odd") as caught:
        run_stage(run, stage, LocalExecutor(workers), Silent())

    failure = json.loads(report.read_text())
    assert caught.value.tasks == ("generate.000001",)
    assert failure["task"] == {"shard": 1, "start": 10, "stop": 20}
    assert failure["attempts"] == 1
    assert any("ValueError: shard 1 is odd" in line for line in failure["traceback"])
    assert tries(tmp_path)[1] == 1
    assert max(tries(tmp_path)) <= workers  # no new task started


@pytest.mark.parametrize("workers", EXECUTORS)
def test_keep_going_runs_all_other_tasks(run, tmp_path, workers):
    stage = Numbers(tmp_path, raises=(1, 4))

    with pytest.raises(TasksFailedError, match="2 tasks of generate failed"):
        run_stage(run, stage, LocalExecutor(workers, keep_going=True), Silent())

    assert sorted(run.committed("generate")) == [0, 2, 3, 5]


@pytest.mark.parametrize("workers", EXECUTORS)
def test_missing_weights_end_the_run_with_their_own_message(run, tmp_path, workers):
    with pytest.raises(WeightsError, match=r"weights/toy\.onnx: missing"):
        run_stage(run, Numbers(tmp_path, needs_weights=True), LocalExecutor(workers), Silent())

    assert tries(tmp_path) == {}


@pytest.mark.parametrize("workers", EXECUTORS)
def test_a_full_disk_ends_the_run_and_it_can_go_on_later(run, tmp_path, workers):
    with pytest.raises(DiskFullError, match="no space left on the disk; free some and run again"):
        run_stage(run, Numbers(tmp_path, full=(2,)), LocalExecutor(workers), Silent())
    assert not run.shard("generate", 2).exists()

    run_stage(run, Numbers(tmp_path), LocalExecutor(workers), Silent())

    assert len(run.shards("generate")) == 6


def test_a_dead_worker_is_replaced_and_its_task_tried_again(run, tmp_path):
    run_stage(run, Numbers(tmp_path, dies=(0, 3)), LocalExecutor(2), Silent())

    assert tries(tmp_path) == {0: 2, 1: 1, 2: 1, 3: 2, 4: 1, 5: 1}
    assert len(run.shards("generate")) == 6


def test_a_task_that_kills_its_worker_is_given_up_after_three_attempts(run, tmp_path):
    stage = Numbers(tmp_path, dies_always=(0,), count=3)

    outcomes = list(LocalExecutor(2, keep_going=True).run(run, stage, stage.tasks()))

    (failure,) = [outcome for outcome in outcomes if isinstance(outcome, TaskFailure)]
    assert failure.task.shard == 0
    assert failure.attempts == 3
    assert "its worker died 3 times, the last time with exit code -9" in failure.reason
    assert tries(tmp_path)[0] == 3
    assert sorted(run.committed("generate")) == [1, 2]


def test_a_stale_task_cannot_commit_into_a_stage_begun_anew(run, tmp_path):
    from pipelines.executors.task import run_task
    from synth.errors import RunError

    stage = Numbers(tmp_path)

    with pytest.raises(RunError, match="begun anew"):
        run_task(run, stage, stage.tasks()[0], "digest of before")

    assert run.shards("generate") == []
