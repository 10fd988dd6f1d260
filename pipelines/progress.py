"""Shows how a stage goes: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from pipelines.quantities import duration
from pipelines.stage import Stage
from synth.shards.manifest import ShardRecord, Task

LINE_EVERY_SECONDS = 10.0


class Rate:
    """Counts what a stage makes, and says how fast and how long it will take."""

    def __init__(self, stage: Stage, tasks: Sequence[Task], done: Sequence[ShardRecord]) -> None:
        self.name = stage.name
        self.unit = stage.unit
        self.total = sum(task.stop - task.start for task in tasks)
        self.done_before = sum(record.task.stop - record.task.start for record in done)
        self.items = self.done_before
        self.amount = 0
        self.started = time.monotonic()

    def add(self, record: ShardRecord) -> None:
        """Counts one more shard."""
        self.items += record.task.stop - record.task.start
        self.amount += record.counts.get(self.unit, 0)

    def __str__(self) -> str:
        seconds = max(time.monotonic() - self.started, 1e-3)
        made = self.items - self.done_before
        left = seconds / made * (self.total - self.items) if made else 0.0
        share = self.items / self.total if self.total else 1.0
        remaining = f", about {duration(left)} left" if left else ""
        return f"{self.name:<8} {share:4.0%}  {self.amount:,} {self.unit} in {duration(seconds)}, " + (
            f"{self.amount / seconds:,.1f}/s{remaining}"
        )


class PlainProgress:
    """Writes a line about every ten seconds and one at the end of each stage."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._rates: dict[str, Rate] = {}
        self._written = 0.0

    def stage_started(self, stage: Stage, tasks: Sequence[Task], done: Sequence[ShardRecord]) -> None:
        """Starts counting."""
        self._rates[stage.name] = Rate(stage, tasks, done)
        self._written = time.monotonic()

    def shard_committed(self, stage: str, record: ShardRecord) -> None:
        """Counts, and writes a line for each stage under way if the last ones are old."""
        self._rates[stage].add(record)
        if time.monotonic() - self._written >= LINE_EVERY_SECONDS:
            for rate in self._rates.values():
                self._console.print(str(rate), highlight=False)
            self._written = time.monotonic()

    def stage_ended(self, stage: str) -> None:
        """Writes the stage's line."""
        self._console.print(str(self._rates.pop(stage)), highlight=False)


class TerminalProgress:
    """Keeps a bar for each stage under way up to date, and leaves one line for each."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(BarColumn(24), TextColumn("{task.description}"), console=console)
        self._rates: dict[str, Rate] = {}
        self._bars: dict[str, TaskID] = {}

    def stage_started(self, stage: Stage, tasks: Sequence[Task], done: Sequence[ShardRecord]) -> None:
        """Shows a new bar."""
        rate = self._rates[stage.name] = Rate(stage, tasks, done)
        self._bars[stage.name] = self._progress.add_task(str(rate), total=rate.total, completed=rate.done_before)
        self._progress.start()

    def shard_committed(self, stage: str, record: ShardRecord) -> None:
        """Moves the bar."""
        rate = self._rates[stage]
        rate.add(record)
        self._progress.update(self._bars[stage], completed=rate.items, description=str(rate))

    def stage_ended(self, stage: str) -> None:
        """Stops the bar where it is."""
        del self._rates[stage]
        if not self._rates:
            self._progress.stop()


def progress() -> PlainProgress | TerminalProgress:
    """Returns what fits the error stream: results go to the output stream."""
    console = Console(file=sys.stderr)
    return TerminalProgress(console) if console.is_terminal else PlainProgress(console)
