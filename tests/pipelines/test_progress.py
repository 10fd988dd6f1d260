import io

from rich.console import Console

from pipelines.progress import PlainProgress, Rate, TerminalProgress
from synth.shards.manifest import ShardRecord, Task
from tests.pipelines.executors.components import Numbers

TASKS = [Task(0, 0, 10), Task(1, 10, 20), Task(2, 20, 30), Task(3, 30, 40)]


def record(task):
    return ShardRecord(task=task, fingerprint="", counts={"numbers": 130}, files={})


def show(progress, stage):
    progress.stage_started(stage, TASKS, [record(TASKS[0])])
    progress.shard_committed(stage.name, record(TASKS[1]))
    progress.stage_ended(stage.name)


def test_a_rate_counts_what_was_made_now_and_what_is_left_of_all(tmp_path):
    rate = Rate(Numbers(tmp_path), TASKS, [record(TASKS[0])])
    rate.started -= 10

    rate.add(record(TASKS[1]))

    assert str(rate) == "generate  50%  130 numbers in 10.0 s, 13.0/s, about 20.0 s left"


def test_without_a_terminal_a_stage_leaves_one_plain_line(tmp_path):
    out = io.StringIO()

    show(PlainProgress(Console(file=out, width=200)), Numbers(tmp_path))

    (line,) = out.getvalue().splitlines()
    assert line.startswith("generate  50%  130 numbers in ")
    assert "\x1b" not in line


def test_on_a_terminal_the_bar_ends_where_the_stage_does(tmp_path):
    out = io.StringIO()

    show(TerminalProgress(Console(file=out, width=200, force_terminal=True)), Numbers(tmp_path))

    assert "generate  50%  130 numbers" in out.getvalue()
