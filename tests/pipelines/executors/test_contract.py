"""What every executor promises."""

import json

import pytest

from pipelines.executors.base import TaskFailure
from pipelines.executors.local import LocalExecutor
from pipelines.executors.ray_cluster import RayExecutor
from pipelines.fingerprint import Fingerprint
from pipelines.runner import run_stages
from pipelines.stage import PlannedTask, TaskKey
from synth.digests import sha256_of
from synth.errors import DiskFullError, TasksFailedError, WeightsError
from tests.pipelines.executors.components import Numbers
from tests.toy import Silent

EXECUTORS = ["local-1", "local-2", "ray-2"]
WORKERS = {"local-1": 1, "local-2": 2, "ray-2": 2}


@pytest.fixture
def executor(request):
    """Returns a function that makes the executor of this name; what it holds is freed in the end."""
    made = []

    def make(name, **settings):
        if name.startswith("ray"):
            settings["address"] = request.getfixturevalue("cluster").address
            made.append(RayExecutor(WORKERS[name], **settings))
        else:
            made.append(LocalExecutor(WORKERS[name], **settings))
        return made[-1]

    yield make
    for one in made:
        one.close()


def tries(folder):
    return {int(path.suffix[1:]): path.stat().st_size for path in folder.glob("tried.*")}


@pytest.mark.parametrize("name", EXECUTORS)
def test_every_task_becomes_one_shard_with_the_same_bytes(run, tmp_path, executor, name):
    made = run_stages(run, [Numbers(tmp_path)], executor(name), Silent())

    assert made == 6
    assert [path.name for path in run.shards("generate")] == [f"{k:06d}" for k in range(6)]
    assert (run.shard("generate", 2) / "numbers.txt").read_text() == "20 21 22 23 24 25 26 27 28 29"
    record = run.committed("generate")[2]
    assert record.files["numbers.txt"].sha256 == sha256_of(run.shard("generate", 2) / "numbers.txt")
    assert list(run.scratch.iterdir()) == []


@pytest.mark.parametrize("name", EXECUTORS)
def test_committed_shards_are_not_made_again(run, tmp_path, executor, name):
    run_stages(run, [Numbers(tmp_path, count=3)], LocalExecutor(1), Silent())

    run_stages(run, [Numbers(tmp_path)], executor(name), Silent())

    assert tries(tmp_path) == dict.fromkeys(range(6), 1)


@pytest.mark.parametrize("name", ["local-2", "ray-2"])
def test_a_worker_has_one_thread_whatever_its_surroundings_say(run, tmp_path, executor, name, monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")

    run_stages(run, [Numbers(tmp_path)], executor(name), Silent())

    assert (run.shard("generate", 0) / "threads.txt").read_text() == "1"


def test_one_worker_in_a_process_of_its_own_may_die(run, tmp_path):
    made = run_stages(run, [Numbers(tmp_path, dies=(1,))], LocalExecutor(1, in_this_process=False), Silent())

    assert made == 6
    assert tries(tmp_path) == {0: 1, 1: 2, 2: 1, 3: 1, 4: 1, 5: 1}


@pytest.mark.parametrize("name", EXECUTORS)
def test_a_task_that_raises_is_not_retried_and_is_written_down(run, tmp_path, executor, name):
    report = run.failed / "generate.000001.json"
    stage = Numbers(tmp_path, raises=(1,), until=report)

    with pytest.raises(TasksFailedError, match=r"generate.000001: ValueError: shard 1 is odd") as caught:
        run_stages(run, [stage], executor(name), Silent())

    failure = json.loads(report.read_text())
    assert caught.value.tasks == ("generate.000001",)
    assert failure["task"] == {"shard": 1, "start": 10, "stop": 20}
    assert failure["attempts"] == 1
    assert any("ValueError: shard 1 is odd" in line for line in failure["traceback"])
    assert tries(tmp_path)[1] == 1
    assert max(tries(tmp_path)) <= WORKERS[name]  # no new task started


@pytest.mark.parametrize("name", EXECUTORS)
def test_keep_going_runs_all_other_tasks(run, tmp_path, executor, name):
    stage = Numbers(tmp_path, raises=(1, 4))

    with pytest.raises(TasksFailedError, match="2 tasks of generate failed"):
        run_stages(run, [stage], executor(name, keep_going=True), Silent())

    assert sorted(run.committed("generate")) == [0, 2, 3, 5]


@pytest.mark.parametrize("name", EXECUTORS)
def test_missing_weights_end_the_run_with_their_own_message(run, tmp_path, executor, name):
    with pytest.raises(WeightsError, match=r"weights/toy\.onnx: missing"):
        run_stages(run, [Numbers(tmp_path, needs_weights=True)], executor(name), Silent())

    assert tries(tmp_path) == {}


@pytest.mark.parametrize("name", EXECUTORS)
def test_a_full_disk_ends_the_run_and_it_can_go_on_later(run, tmp_path, executor, name):
    with pytest.raises(DiskFullError, match="no space left on the disk; free some and run again"):
        run_stages(run, [Numbers(tmp_path, full=(2,))], executor(name), Silent())
    assert not run.shard("generate", 2).exists()

    run_stages(run, [Numbers(tmp_path)], executor(name), Silent())

    assert len(run.shards("generate")) == 6


@pytest.mark.parametrize("name", ["local-2", "ray-2"])
def test_a_dead_worker_is_replaced_and_its_task_tried_again(run, tmp_path, executor, name):
    run_stages(run, [Numbers(tmp_path, dies=(0, 3))], executor(name), Silent())

    assert tries(tmp_path) == {0: 2, 1: 1, 2: 1, 3: 2, 4: 1, 5: 1}
    assert len(run.shards("generate")) == 6


@pytest.mark.parametrize(("name", "death"), [("local-2", "exit code -9"), ("ray-2", "ActorDiedError: ")])
def test_a_task_that_kills_its_worker_is_given_up_after_three_attempts(run, tmp_path, executor, name, death):
    stage = Numbers(tmp_path, dies_always=(0,), count=3)

    outcomes = list(executor(name, keep_going=True).run(run, [stage], _planned(stage)))

    (failure,) = [outcome for outcome in outcomes if isinstance(outcome, TaskFailure)]
    assert failure.task.shard == 0
    assert failure.attempts == 3
    assert f"its worker died 3 times, the last time with {death}" in failure.reason
    assert tries(tmp_path)[0] == 3
    assert sorted(run.committed("generate")) == [1, 2]


class Squares(Numbers):
    """Squares the numbers of the shards of `generate`."""

    name = "measure"

    def needs(self, task):
        return (TaskKey("generate", task.shard),)

    def process(self, task, out):
        numbers = (self.run.shard("generate", task.shard) / "numbers.txt").read_text().split()
        (out / "squares.txt").write_text(" ".join(str(int(number) ** 2) for number in numbers))
        return {"numbers": len(numbers)}


@pytest.fixture
def chain(run, tmp_path):
    """Returns a function that makes two stages, the second of which reads the shards of the first."""
    run.begin("measure", Fingerprint({}, "digest"))

    def make(**faults):
        squares = Squares(tmp_path)
        squares.run = run
        return [Numbers(tmp_path, **faults), squares]

    return make


@pytest.mark.parametrize("name", EXECUTORS)
def test_a_task_starts_once_what_it_needs_is_committed(run, tmp_path, executor, name, chain):
    watch = Silent()

    made = run_stages(run, chain(), executor(name), watch)

    assert made == 12
    assert (run.shard("measure", 5) / "squares.txt").read_text().startswith("2500 2601 ")
    assert [(run.stage(stage) / "manifest.json").is_file() for stage in ("generate", "measure")] == [True, True]
    if WORKERS[name] == 1:
        order = [(stage, shard) for shard in range(6) for stage in ("generate", "measure")]
        assert watch.order == order  # what is generated is measured at once


@pytest.mark.parametrize("name", ["local-2", "ray-2"])
def test_two_workers_measure_while_others_are_generated(run, executor, name, chain):
    """Shards 2 to 5 are generated only after a shard was measured: with a barrier between the stages nothing ends."""
    first, second = chain(until=run.shard("measure", 0))

    run_stages(run, [first, second], executor(name), Silent())

    assert len(run.shards("measure")) == 6


@pytest.mark.parametrize("name", EXECUTORS)
def test_what_needs_a_failed_task_never_starts(run, executor, name, chain):
    with pytest.raises(TasksFailedError, match="1 task of generate failed") as caught:
        run_stages(run, chain(raises=(1,)), executor(name, keep_going=True), Silent())

    assert caught.value.tasks == ("generate.000001",)
    assert sorted(run.committed("measure")) == [0, 2, 3, 4, 5]
    assert not (run.stage("measure") / "manifest.json").exists()


def _planned(stage):
    return [PlannedTask(stage.name, task) for task in stage.tasks()]


def test_a_stale_task_cannot_commit_into_a_stage_begun_anew(run, tmp_path):
    from pipelines.executors.task import run_task
    from synth.errors import RunError

    stage = Numbers(tmp_path)

    with pytest.raises(RunError, match="begun anew"):
        run_task(run, stage, stage.tasks()[0], "digest of before")

    assert run.shards("generate") == []
