"""Toy runs of the whole pipeline with the fakes, and what to compare about them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from pipelines.config import parse_config
from pipelines.driver import run_pipeline
from pipelines.executors.local import LocalExecutor
from pipelines.run_directory import RunDirectory
from synth.digests import sha256_of

ROOT = Path(__file__).resolve().parent.parent
STAGES = ("sample", "generate", "measure", "select", "export")

CONFIG = """\
seed: 7
identities:
  count: 10
  sampler: {type: gaussian, dimension: 32, space: painted}
generator: {type: tests.fakes.PaintedVector, size: 64, black_every: 6}
images: {per_identity: 6, batch_size: 8, identities_per_shard: 3}
recogniser: {type: tests.fakes.PaintedRecogniser}
filters:
  - {type: detection, min: 0.5}
  - {type: vector_similarity, min: 0.5}
  - {type: near_duplicate, max: 0.999}
selection: {images_per_identity: 4, min_images_per_identity: 2, max_inter_class_similarity: 0.9}
export: {type: webdataset, shard_size: 15}
"""


class Silent:
    """Watches stages and says nothing."""

    def __init__(self):
        self.made = []
        self.order = []

    def stage_started(self, stage, tasks, done):
        pass

    def shard_committed(self, stage, record):
        self.made.append(record.task)
        self.order.append((stage, record.task.shard))

    def stage_ended(self, stage):
        pass


def run_toy(path, *overrides, workers=1, text=CONFIG, redo=None, until="export", keep_going=False, overlap=True):
    """Runs the toy in this process (or with spawned workers); returns its directory and result."""
    config = parse_config(text, "toy.yaml", overrides)
    run = RunDirectory(path)
    executor = LocalExecutor(workers, keep_going=keep_going)
    return run, run_pipeline(config, run, executor, Silent(), redo=redo, until=until, overlap=overlap)


def tree(root, stages=(*STAGES, "dataset")):
    """Returns the SHA-256 of each file of a run; of shard records, what decides and not what was measured."""
    found = {}
    for stage in stages:
        for path in sorted((root / stage).rglob("*")):
            if not path.is_file() or path.name == "manifest.json":
                continue
            name = str(path.relative_to(root))
            if path.name == "shard.json":
                record = json.loads(path.read_text())
                found[name] = {key: record[key] for key in ("task", "fingerprint", "counts", "files")}
            else:
                found[name] = sha256_of(path)
    return found


def inodes(root, stage):
    """Returns inode and time of each file of a stage's shards: they tell whether it was written again."""
    files = sorted((root / stage).glob("0*/*"))
    return {str(path): (path.stat().st_ino, path.stat().st_mtime_ns) for path in files}


def heed_ctrl_c():
    """Undoes what a shell does to its background jobs: they and their children ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def start_driver(config, run_dir, *arguments, **options):
    """Starts `synth run` in a process group of its own."""
    command = [sys.executable, "-m", "pipelines", "run", str(config), "--run-dir", str(run_dir), *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        **options,
    )


def synth(*arguments, **environment):
    """Runs the command line to its end; returns the finished process."""
    return subprocess.run(
        [sys.executable, "-m", "pipelines", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def children(pid):
    """Returns the processes a driver started, as (pid, start time)."""
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [(int(child), start_time(int(child))) for child in path.read_text().split()]
        except OSError:
            continue
    return [child for child in found if child[1] is not None]


def start_time(pid):
    """Returns the kernel's start time of a process, None if it is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


def survivors(processes, seconds=10.0):
    """Waits until processes are gone; returns those that are not in time."""
    end = time.monotonic() + seconds
    while left := [pid for pid, started in processes if start_time(pid) == started]:
        if time.monotonic() > end:
            return left
        time.sleep(0.01)
    return []


def attempts(run_dir):
    """Returns the names of unfinished attempts, like 'generate.000003.9f2c'."""
    scratch = Path(run_dir) / "scratch"
    try:
        return {path.name for path in scratch.iterdir() if path.name.partition(".")[0] in STAGES}
    except FileNotFoundError:
        return set()


def wait_for_attempt(process, run_dir, stage, seconds=60.0):
    """Waits until an attempt of a stage is under way; returns False if the driver ended before."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if any(name.startswith(f"{stage}.") for name in attempts(run_dir)):
            return True
        if process.poll() is not None:
            return False
        time.sleep(0.001)
    raise TimeoutError(f"{run_dir}: no attempt of {stage} within {seconds} s")


def kill(pid):
    """Sends SIGKILL; the process may be gone already."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True
