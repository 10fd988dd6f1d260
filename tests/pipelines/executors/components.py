"""Stages that fail in known ways, for the executors' contract."""

import errno
import os
import signal
import time

from pipelines.stage import Stage
from synth.errors import WeightsError
from synth.shards.manifest import Task


class Numbers(Stage):
    """Writes the numbers of a task's range; misbehaves at the shards it is told to."""

    name = "generate"
    unit = "numbers"

    def __init__(
        self, folder, *, count=6, raises=(), dies=(), dies_always=(), full=(), needs_weights=False, until=None
    ):
        self.folder = folder
        self.count = count
        self.until = until  # a file that the shards after the first two wait for
        self.raises, self.dies, self.dies_always, self.full = raises, dies, dies_always, full
        self.needs_weights = needs_weights

    def tasks(self):
        return [Task(k, 10 * k, 10 * k + 10) for k in range(self.count)]

    def open(self, device):
        if self.needs_weights:
            raise WeightsError("weights/toy.onnx: missing; get it first")

    def process(self, task, out):
        with (self.folder / f"tried.{task.shard}").open("a") as file:
            file.write("x")
        if self.until and task.shard > 1:
            wait_for(self.until)
        (out / "threads.txt").write_text(os.environ.get("OPENBLAS_NUM_THREADS", "any"))
        (out / "numbers.txt").write_text(" ".join(map(str, range(task.start, task.stop))))
        if task.shard in self.raises:
            raise ValueError(f"shard {task.shard} is odd\nand more")
        if task.shard in self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        tries = (self.folder / f"tried.{task.shard}").stat().st_size
        if task.shard in self.dies_always or (task.shard in self.dies and tries == 1):
            os.kill(os.getpid(), signal.SIGKILL)
        return {"numbers": task.stop - task.start}


def wait_for(path, seconds=120):
    """Returns when a file is there; fails after some time, so that a test ends."""
    end = time.monotonic() + seconds
    while not path.exists():
        if time.monotonic() > end:
            raise TimeoutError(f"{path} did not appear")
        time.sleep(0.01)
