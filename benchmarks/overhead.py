"""What a rendered run costs beside generation and recognition, in CPU seconds: `python benchmarks/overhead.py`.

Runs a configuration in one process with one thread and clocks its parts where they begin and end; what lies inside
another part counts there alone. Starting up and loading models are fixed costs, whatever the size of the run; of the
rest the last line gives the share that is neither generation nor recognition.

Then it runs toy runs of two sizes, with nearly free components, locally and on a Ray cluster of their own, and prints
what Ray takes in addition, by all processes: a fixed cost, and what it grows by.
"""

from __future__ import annotations

import argparse
import functools
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import ParamSpec, TypeVar

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import pipelines.driver
import pipelines.executors.task
import pipelines.stages.generate
import pipelines.stages.measure
import pipelines.stages.stored_faces
import synth.components
from pipelines.config import load_config
from pipelines.driver import STAGE_CLASSES, run_pipeline
from pipelines.executors.local import LocalExecutor
from pipelines.progress import progress
from pipelines.run_directory import RunDirectory
from pipelines.stages.measure import Measure
from tests.toy import CONFIG as TOY

P = ParamSpec("P")
R = TypeVar("R")

CONFIG = Path(__file__).resolve().parent.parent / "configs" / "rendered_10k.yaml"
FIXED = ("starting up", "loading models")
WORK = ("generation", "recognition")


class Clock:
    """CPU seconds of each part, without what lies inside another one."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._inner = threading.local()

    def part(self, name: str, owner: type | ModuleType, attribute: str) -> None:
        """Counts the calls of a function, by its owner and name there, as a part."""
        setattr(owner, attribute, self.timed(name, getattr(owner, attribute)))

    def timed(self, name: str, function: Callable[P, R]) -> Callable[P, R]:
        """Returns a function that counts its calls as a part."""

        @functools.wraps(function)
        def call(*arguments: P.args, **options: P.kwargs) -> R:
            outer = getattr(self._inner, "seconds", 0.0)
            self._inner.seconds = 0.0
            begun = time.thread_time()
            try:
                return function(*arguments, **options)
            finally:
                taken = time.thread_time() - begun
                self.seconds[name] += taken - self._inner.seconds
                self._inner.seconds = outer + taken

        return call


def main() -> None:
    """Prints a line a part, and the share of what is neither generation nor recognition."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--identities", type=int, default=150)
    parser.add_argument("--ray-shards", type=int, nargs="*", default=[20, 400], help="Sizes of the toy runs on Ray.")
    arguments = parser.parse_args()
    clock = Clock()
    clock.seconds["starting up"] = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        config = load_config(CONFIG, [f"identities.count={arguments.identities}"])
        _watch(clock, config.generator_spec, config.recogniser_spec)
        begun, before = time.process_time(), sum(clock.seconds.values())
        result = run_pipeline(config, RunDirectory(Path(folder) / "run"), LocalExecutor(1), progress())
        clock.seconds["driver"] = time.process_time() - begun - (sum(clock.seconds.values()) - before)
    _print(clock.seconds, arguments.identities * config.images.per_identity, result.samples)
    for shards in arguments.ray_shards:
        print(f"ray_extra_seconds {ray_extra(shards):.1f} with {shards} shards")


def _watch(clock: Clock, generator: synth.components.ComponentSpec, recogniser: synth.components.ComponentSpec) -> None:
    clock.part("generation", synth.components.resolve("generator", generator.type), "generate")
    clock.part("recognition", synth.components.resolve("recogniser", recogniser.type), "recognise")
    clock.part("loading models", synth.components, "build")
    clock.part("encoding images", pipelines.stages.generate, "encode_jpeg")
    clock.part("encoding aligned faces", pipelines.stages.stored_faces, "encode_jpeg")
    clock.part("decoding images", pipelines.stages.measure, "decode_image")
    clock.part("decoding aligned faces", pipelines.stages.stored_faces, "decode_image")
    clock.part("filters", Measure, "_measure")
    for stage in STAGE_CLASSES:
        clock.part(f"rest of {stage.name}", stage, "process")
    clock.part("hashes and commits", pipelines.executors.task, "run_task")
    clock.part("dataset, card and report", pipelines.driver, "finish")


def _print(seconds: Counter[str], generated: int, kept: int) -> None:
    variable = sum(value for name, value in seconds.items() if name not in FIXED)
    print(f"{generated:,} images generated, {kept:,} kept; CPU seconds, and share without fixed costs")
    for name, value in seconds.most_common():
        share = "fixed" if name in FIXED else f"{value / variable:.2%}"
        print(f"{name:<26} {value:8.2f}  {share:>7}")
    overhead = variable - sum(seconds[name] for name in WORK)
    print(f"overhead_share {overhead / variable:.4f} fixed_seconds {sum(seconds[name] for name in FIXED):.1f}")


def ray_extra(identities: int) -> float:
    """Returns the CPU seconds that a toy run takes more on a Ray cluster of its own than with one local worker."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "toy.yaml"
        config.write_text(TOY)
        settings = ["--set", f"identities.count={identities}", "--set", "images.identities_per_shard=1"]
        command = [sys.executable, "-m", "pipelines", "run", str(config), *settings, "--until", "measure"]
        local = cpu_seconds([*command, "--run-dir", f"{folder}/local"])
        return cpu_seconds([*command, "--run-dir", f"{folder}/ray", "--executor", "ray"]) - local


def cpu_seconds(command: Sequence[str]) -> float:
    """Runs a command and returns the CPU seconds of all its processes, as last seen while they lived."""
    seen: dict[tuple[int, str], int] = {}
    root = Path(__file__).resolve().parent.parent
    with subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            for pid in family(process.pid):
                with suppress(OSError):
                    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                    seen[pid, fields[19]] = int(fields[11]) + int(fields[12])  # user and system time, by start time
            time.sleep(0.02)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}")
    return sum(seen.values()) / os.sysconf("SC_CLK_TCK")


def family(pid: int) -> Iterator[int]:
    """Yields a process and all that it started, directly or not."""
    yield pid
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in path.read_text().split():
                yield from family(int(child))


if __name__ == "__main__":
    main()
