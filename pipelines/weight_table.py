"""Shows the weight files of a configuration: what each is, whether it is there, and how to get it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, TypeAlias

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipelines.quantities import storage
from pipelines.weight_files import NeededFile
from synth.weights.files import WeightFile, total_size

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
            return storage(self.file.path.stat().st_size)
        return "size not known" if self.file.size is None else f"{storage(self.file.size)} published"

    @property
    def details(self) -> list[str]:
        """What else is known: its name on the hub where that is another one, and its SHA-256."""
        found = []
        if self.file.repo and not str(self.file.path).endswith(self.file.name):
            found.append(f"on the hub {self.file.name}")
        if self.file.sha256:
            found.append(f"SHA-256 {self.file.sha256}")
        return found

    @property
    def source(self) -> tuple[str, str, str]:
        """Who reads it, its licence and its origin: what files of one group share."""
        return self.component, f"licence: {self.file.license or 'not known'}", f"origin: {self.file.origin}"


Group: TypeAlias = tuple[tuple[str, str, str], list[Line]]


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
    """Shows a table on a terminal and plain lines elsewhere; below, how to get what lacks."""
    if not lines:
        console.print("the configuration needs no weight files", highlight=False)
        return
    groups = [(source, list(group)) for source, group in groupby(lines, key=lambda line: line.source)]
    if console.is_terminal:
        console.print(_table(groups))
    else:
        _print_plain(console, (text for source, group in groups for text in _plain(source, group)))
    _print_plain(console, _ways_out(lines))


def _table(groups: Sequence[Group]) -> Table:
    table = Table("state", "size", "file")
    table.columns[1].justify = "right"
    table.columns[2].overflow = "fold"
    for (component, *about), lines in groups:
        heading = Text(component, style="bold")
        heading.append("".join(f"\n{text}" for text in about), style="dim not bold")
        table.add_row("", "", heading)
        for line in lines:
            named = Text(str(line.file.path))
            named.append("".join(f"\n{detail}" for detail in line.details), style="dim")
            table.add_row(Text(line.state, style=_STYLES[line.state]), line.size, named)
        table.add_section()
    return table


def _plain(source: tuple[str, str, str], lines: Sequence[Line]) -> Iterator[str]:
    component, *about = source
    yield f"{component}: {'; '.join(about)}"
    for line in lines:
        yield "; ".join([f"  {line.state:<8} {line.size:>18}  {line.file.path}", *line.details])


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
        amount = f", about {storage(size)}" if size else ""
        yield f"{files} on the hub{amount}: add --download to fetch"
    if all(line.state == "present" for line in lines):
        yield "all weight files are there"


def _print_plain(console: Console, texts: Iterator[str]) -> None:
    for text in texts:
        console.print(text, soft_wrap=True, highlight=False, markup=False)
