"""Shows the weight files of a configuration: what each is, whether it is there, and how to get it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines.weight_files import NeededFile
from synth.weights import WeightFile, total_size

State = Literal["present", "missing", "damaged"]
_STYLES = {"present": "green", "missing": "yellow", "damaged": "red"}


@dataclass(frozen=True, slots=True)
class Line:
    """A file and what is known of it.

    Attributes:
        component: like 'generator arc2face'.
        file: what was published.
        state: whether it is there and whole.
        damage: what is wrong with it; empty where nothing is known to be.
    """

    component: str
    file: WeightFile
    state: State
    damage: str = ""

    @property
    def size(self) -> str:
        """Its size on the disk or as published."""
        if self.state != "missing":
            return in_units(self.file.path.stat().st_size)
        return "not known" if self.file.size is None else f"{in_units(self.file.size)} published"

    @property
    def origin(self) -> str:
        """Where it is published."""
        return (
            self.file.origin if self.file.repo is None else f"{self.file.origin} ({self.file.repo}: {self.file.name})"
        )


def inspect_files(needed: Sequence[NeededFile]) -> list[Line]:
    """Looks at each file; reads those whole whose SHA-256 is known."""
    lines = []
    for each in needed:
        if not each.file.is_present:
            lines.append(Line(each.component, each.file, "missing"))
        elif damage := each.file.damage():
            lines.append(Line(each.component, each.file, "damaged", damage))
        else:
            lines.append(Line(each.component, each.file, "present"))
    return lines


def show(console: Console, lines: Sequence[Line]) -> None:
    """Shows a table on a terminal, and elsewhere a block of plain lines a file; below it, how to get what lacks."""
    if not lines:
        console.print("the configuration needs no weight files", highlight=False)
        return
    if console.is_terminal:
        console.print(_table(lines))
    else:
        _print_plain(console, (text for line in lines for text in _plain(line)))
    _print_plain(console, _ways_out(lines))


def in_units(size: int) -> str:
    """Returns a number of bytes as a person reads it."""
    if size < 1_000_000:
        return f"{size / 1e3:,.1f} kB"
    return f"{size / 1e6:,.1f} MB" if size < 1_000_000_000 else f"{size / 1e9:,.2f} GB"


def _table(lines: Sequence[Line]) -> Table:
    table = Table(show_lines=True)
    table.add_column("file", overflow="fold", ratio=5)
    table.add_column("state", no_wrap=True)
    table.add_column("size", justify="right")
    table.add_column("licence", overflow="fold", ratio=3)
    for line in lines:
        about = Text(str(line.file.path))
        for detail in (line.component, line.origin, f"SHA-256 {line.file.sha256}" if line.file.sha256 else ""):
            about.append(f"\n{detail}" if detail else "", style="dim")
        table.add_row(about, Text(line.state, style=_STYLES[line.state]), line.size, Text(line.file.license))
    return table


def _plain(line: Line) -> Iterator[str]:
    yield f"{line.state:<8} {line.file.path}"
    yield f"         for {line.component}; {line.size}; SHA-256 {line.file.sha256 or 'not known'}"
    yield f"         licence: {line.file.license}"
    yield f"         origin: {line.origin}"


def _ways_out(lines: Sequence[Line]) -> Iterator[str]:
    """Says how to get what is missing, and all that the hub has in one line."""
    for line in lines:
        if line.state == "damaged":
            yield f"{line.file.path}: {line.damage}; remove it, then get it again"
    for line in lines:
        if line.state == "missing" and line.file.repo is None:
            yield f"{line.file.path}: {line.file.way_out}"
    on_hub = [line.file for line in lines if line.state == "missing" and line.file.repo is not None]
    if on_hub:
        size = total_size(on_hub)
        files = "1 missing file" if len(on_hub) == 1 else f"{len(on_hub)} missing files"
        amount = f", about {in_units(size)}" if size else ""
        yield f"{files} on the hub{amount}: add --download to fetch"
    if all(line.state == "present" for line in lines):
        yield "all weight files are there"


def _print_plain(console: Console, texts: Iterator[str]) -> None:
    for text in texts:
        console.print(text, soft_wrap=True, highlight=False, markup=False)
