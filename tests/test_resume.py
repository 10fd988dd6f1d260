import random
import shutil
import signal
import time

import pytest

from pipelines.run_directory import RunDirectory
from synth.errors import RunLockedError
from tests.toy import (
    CONFIG,
    attempts,
    children,
    heed_ctrl_c,
    inodes,
    kill,
    run_toy,
    start_driver,
    survivors,
    synth,
    tree,
    wait_for_attempt,
)

# Enough work in each shard that a kill finds one under way.
SLOW = CONFIG.replace("size: 64", "size: 256").replace("per_identity: 6", "per_identity: 12")


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slow")
    (folder / "toy.yaml").write_text(SLOW)
    run_toy(folder / "reference" / "toy", text=SLOW)
    return folder


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_run_killed_again_and_again_ends_with_the_same_bytes(slow, workers):
    run_dir = slow / f"killed_{workers}" / "toy"
    chance = random.Random(int(workers))
    interrupted = 0

    for stage in ("sample", "generate", "generate", "measure", "select", "export"):
        process = start_driver(slow / "toy.yaml", run_dir, "--workers", workers)
        if wait_for_attempt(process, run_dir, stage):
            time.sleep(chance.uniform(0, 0.02))
            workers_alive = children(process.pid)
            process.kill()
            assert survivors(workers_alive) == []
            interrupted += len(attempts(run_dir)) > 0
        process.communicate()

    process = start_driver(slow / "toy.yaml", run_dir, "--workers", workers)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    assert interrupted >= 2
    assert attempts(run_dir) == set()
    assert tree(run_dir) == tree(slow / "reference" / "toy")


def test_killed_workers_are_replaced(slow):
    run_dir = slow / "workers_killed" / "toy"
    process = start_driver(slow / "toy.yaml", run_dir, "--workers", "2")
    assert wait_for_attempt(process, run_dir, "generate")

    attempt = next(name for name in attempts(run_dir) if name.startswith("generate"))
    killed = [pid for pid, _ in children(process.pid) if kill(pid)]
    output, _ = process.communicate(timeout=120)

    assert process.returncode == 0, output
    assert killed
    assert attempt not in {path.name for path in (run_dir / "generate").iterdir()}
    assert tree(run_dir) == tree(slow / "reference" / "toy")


def test_torn_attempts_and_missing_shards_are_made_again(tmp_path):
    run, _ = run_toy(tmp_path / "toy")
    whole = tree(run.root)
    for stage in ("generate", "measure", "export"):
        torn = run.scratch / f"{stage}.000001.0123"
        torn.mkdir(parents=True)
        (run.shard(stage, 1) / "samples.parquet").rename(torn / "samples.parquet")
        shutil.rmtree(run.shard(stage, 1))
    others = inodes(run.root, "generate")

    _, result = run_toy(run.root)

    assert result.num_made == 3
    assert others.items() <= inodes(run.root, "generate").items()
    assert tree(run.root) == whole
    assert not run.scratch.exists()


def test_a_second_driver_is_refused_and_told_who_holds_the_run(tmp_path):
    run = RunDirectory(tmp_path / "toy")

    with run.lock(), pytest.raises(RunLockedError, match=r"process \d+ on .* works on it"):
        run_toy(run.root)

    _, result = run_toy(run.root)
    assert result.samples == 40


def test_ctrl_c_exits_130_and_the_run_goes_on_afterwards(slow):
    heed_ctrl_c()
    run_dir = slow / "interrupted" / "toy"
    process = start_driver(slow / "toy.yaml", run_dir, "--workers", "2")
    assert wait_for_attempt(process, run_dir, "generate")

    workers = children(process.pid)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)

    assert process.returncode == 130
    assert "run again to go on" in output
    assert "Traceback" not in output
    assert survivors(workers) == []
    assert synth("run", slow / "toy.yaml", "--run-dir", run_dir).returncode == 0
    assert tree(run_dir) == tree(slow / "reference" / "toy")
