import json
import os
import subprocess
import sys

import pytest

from pipelines.run_directory import RunDirectory
from pipelines.status import LATEST, run_status
from synth.errors import RunError, TasksFailedError
from tests.toy import run_toy, synth

SETTINGS = (
    "identities.count=40",
    "images.per_identity=2",
    "images.identities_per_shard=1",
    "selection.images_per_identity=2",
)
START = 2_000_000_000.0  # seconds since 1970


@pytest.fixture
def generated(tmp_path):
    """A run of 40 shards of one identity and 2 images each, that ended after `generate`."""
    run, _ = run_toy(tmp_path / "run", *SETTINGS, until="generate")
    return run


def commit_at(run, stage, times):
    """Sets when the shards of a stage were committed."""
    for path, time in zip(run.shards(stage), times, strict=True):
        os.utime(path / "shard.json", (time, time))


def stage_of(run, name):
    return next(stage for stage in run_status(run).stages if stage.name == name)


def test_a_run_that_nobody_works_on_has_counts_and_sizes_but_no_pace(generated):
    found = run_status(generated)

    assert found.holder is None
    assert [(stage.name, stage.committed, stage.planned) for stage in found.stages] == [
        ("sample", 1, 1),
        ("generate", 40, 40),
        ("measure", 0, 40),
        ("select", 0, 1),
        ("export", 0, None),
    ]
    assert {stage.per_second for stage in found.stages} == {None}
    tars = sum(path.stat().st_size for path in generated.root.glob("generate/*/*") if path.name != "shard.json")
    assert found.stages[1].size == tars
    assert found.stages[1].counts == {"images": 80, "identities": 40}
    assert found.free > 0


def test_the_plan_of_export_is_known_once_the_selection_is(tmp_path):
    run, _ = run_toy(tmp_path / "run", until="select")

    assert run_status(run).stages[-1].planned == -(-run_status(run).stages[-2].counts["kept"] // 15)
    assert run_status(run).stages[-1].committed == 0


def test_the_pace_is_that_of_the_latest_shards_since_the_driver_began(generated):
    for path in generated.shards("generate")[30:]:
        generated.discard(path)
    with generated.lock():
        os.utime(generated.root / "run.lock", (START, START))
        # Five shards of the run before, then one every 10 s, the latest faster.
        early = [START - 1000 + k for k in range(5)]
        slow = [START + 10 * k for k in range(25 - LATEST)]
        fast = [slow[-1] + 2 * (k + 1) for k in range(LATEST)]
        commit_at(generated, "generate", early + slow + fast)

        found = stage_of(generated, "generate")

    assert found.per_second == pytest.approx(1.0)  # 2 images in 2 s
    assert found.seconds_left == pytest.approx(20.0)  # 10 shards


@pytest.mark.parametrize("times", [[START + 5] * 40, [START - 9] * 40], ids=["the clock stood still", "set back"])
def test_a_clock_that_jumps_gives_no_pace(generated, times):
    with generated.lock():
        os.utime(generated.root / "run.lock", (START, START))
        commit_at(generated, "generate", times)

        found = stage_of(generated, "generate")

    assert (found.per_second, found.seconds_left) == (None, None)


def test_who_works_on_a_run_is_told_without_getting_in_the_way(generated):
    with generated.lock():
        assert run_status(generated).holder.startswith(f"process {os.getpid()} on ")
    with generated.lock():  # nobody was kept off
        pass


def test_a_driver_that_was_killed_does_not_work_on_it(generated):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    with generated.lock():
        holder = run_status(generated).holder
    (generated.root / "run.lock").write_text(holder.replace(f"process {os.getpid()} ", f"process {dead.pid} "))

    assert run_status(generated).holder is None


def test_failures_come_with_their_tracebacks(generated):
    tar = generated.shard("generate", 1) / "images.tar"
    tar.write_bytes(bytes(tar.stat().st_size))
    with pytest.raises(TasksFailedError):
        run_toy(generated.root, *SETTINGS, until="measure", keep_going=True)

    found = run_status(generated)

    (failure,) = found.failures
    assert failure.task == "measure.000001"
    assert failure.traceback[0] == "Traceback (most recent call last):"
    assert failure.reason.startswith(failure.traceback[-1])
    assert (found.stages[2].failed, found.stages[2].committed) == (1, 39)


def test_what_is_removed_meanwhile_is_left_out(generated, monkeypatch):
    """Between the listing of the shards and their reading somebody may make a stage anew."""
    listed = RunDirectory.shards
    gone = [generated.shard("generate", 40), generated.shard("generate", 41)]
    monkeypatch.setattr(
        RunDirectory, "shards", lambda run, stage: [*listed(run, stage), *(gone if stage == "generate" else [])]
    )

    assert stage_of(generated, "generate").committed == 40


def test_a_damaged_failure_is_told(generated):
    generated.failed.mkdir()
    (generated.failed / "measure.000001.json").write_text("[]")

    with pytest.raises(RunError, match=r"measure\.000001\.json: cannot be read"):
        run_status(generated)


def test_the_command_prints_lines_or_json(generated):
    with generated.lock():
        os.utime(generated.root / "run.lock", (START, START))
        for path in generated.shards("generate")[30:]:
            generated.discard(path)
        commit_at(generated, "generate", [START + k for k in range(30)])
        lines = synth("status", generated.root).stdout.splitlines()
        content = json.loads(synth("status", generated.root, "--json").stdout)

    assert f"process {os.getpid()} on " in lines[0]
    assert lines[2].endswith("30 of 40 shards  30 identities, 60 images  2.0 images/s, about 10.0 s left")
    assert content["stages"][1]["per_second"] == pytest.approx(2.0)
    assert content["stages"][4]["planned"] is None
