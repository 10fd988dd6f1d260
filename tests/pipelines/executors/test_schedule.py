"""Which task starts when."""

import pytest

from pipelines.executors.base import Committed, TaskFailure
from pipelines.executors.schedule import MAX_ATTEMPTS, Schedule
from pipelines.executors.task import Raised, Stopped
from pipelines.stage import PlannedTask, TaskKey
from synth.errors import DiskFullError
from synth.shards.manifest import ShardRecord, Task


def generate(shard):
    return PlannedTask("generate", Task(shard, shard, shard + 1))


def measure(shard):
    return PlannedTask("measure", Task(shard, shard, shard + 1), (TaskKey("generate", shard),))


def record(task):
    return ShardRecord(task=task.task, fingerprint="digest", counts={}, files={})


def schedule(run, *tasks, keep_going=False):
    return Schedule(run, tasks, keep_going=keep_going)


def test_lower_shards_start_first(run):
    tasks = schedule(run, generate(2), generate(0), generate(1))

    assert [tasks.next(), tasks.next(), tasks.next(), tasks.next()] == [generate(0), generate(1), generate(2), None]


def test_a_task_waits_for_what_it_needs_and_then_goes_first(run):
    tasks = schedule(run, generate(0), generate(1), generate(2), measure(0), measure(1))

    first, second = tasks.next(), tasks.next()
    committed = tasks.replied(second, record(second))

    assert committed == Committed("generate", record(second))
    assert tasks.next() == measure(1)
    assert tasks.next() == generate(2)
    assert tasks.next() is None
    tasks.replied(first, record(first))
    assert tasks.next() == measure(0)


def test_what_is_not_in_the_plan_is_committed_already(run):
    assert schedule(run, measure(3)).next() == measure(3)


def test_after_a_failure_nothing_starts_unless_asked_to_keep_going(run):
    careful, bold = (schedule(run, generate(0), generate(1), measure(0), keep_going=going) for going in (False, True))

    for tasks in (careful, bold):
        task = tasks.next()
        assert tasks.replied(task, Raised("ValueError: odd", "Traceback")) == TaskFailure(
            "generate", task.task, "ValueError: odd", "Traceback", 1
        )

    assert careful.next() is None
    assert bold.next() == generate(1)
    assert bold.next() is None  # measure 0 needs what failed


def test_a_worker_s_death_is_forgiven_until_the_last_attempt(run):
    tasks = schedule(run, generate(0), generate(1))

    for _ in range(MAX_ATTEMPTS - 1):
        assert tasks.died(tasks.next(), "exit code -9") is None
    failure = tasks.died(tasks.next(), "exit code -9")

    assert failure.attempts == MAX_ATTEMPTS
    assert failure.reason == "its worker died 3 times, the last time with exit code -9"
    assert failure.name == "generate.000000"


def test_the_disk_says_whether_a_dead_worker_had_committed(run):
    tasks = schedule(run, generate(0), measure(0))
    task = tasks.next()
    shard = run.shard("generate", 0)
    shard.mkdir(parents=True)
    record(task).write(shard)

    assert tasks.died(task, "exit code -9") == Committed("generate", record(task))
    assert tasks.next() == measure(0)


def test_what_lets_no_task_succeed_ends_all(run):
    tasks = schedule(run, generate(0))

    with pytest.raises(DiskFullError):
        tasks.replied(tasks.next(), Stopped(DiskFullError("full")))
