"""What an audit says: checks with a verdict each, numbers for machines, and charts and pictures for people."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from pipelines.reporting.pictures import Picture

Status: TypeAlias = Literal["fail", "warn", "ok", "none", "skipped"]

STATUSES: Final[Mapping[Status, str]] = {  # the gravest first, and what each means
    "fail": "must not be in a dataset",
    "warn": "look at it",
    "ok": "within the threshold",
    "none": "numbers only, no threshold applies",
    "skipped": "not run",
}
OWN_RULE: Final = "our own rule"
LISTED: Final = 50  # samples, classes or pairs that audit.json lists of a kind
STRIP: Final = 6  # pictures in a strip


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: in a few words.
        status: a key of STATUSES.
        says: what was found, with numbers.
        source: where the threshold comes from; empty where there is none.
    """

    name: str
    status: Status
    says: str
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of words and numbers; the first column names its row."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A drawing with a title and, where it shows two series, their names by style ('first', 'second')."""

    title: str
    drawing: Markup
    legend: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """How often each group of an attribute occurs: name, share, 0..1, and a note each."""

    title: str
    subtitle: str
    bars: Sequence[tuple[str, float, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """Groups of pictures in a row, with a gap between groups."""

    title: str
    subtitle: str
    groups: Sequence[Sequence[Picture]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gallery:
    """Strips of pictures with a title and a hint at what they show."""

    title: str
    hint: str
    strips: Sequence[Strip]


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What was found about one subject.

    Attributes:
        name: of the subject, a key of the JSON file and an anchor of the page.
        title: in words.
        hint: what is measured and how, a few sentences.
        checks: at least one.
        numbers: for audit.json: numbers, strings, and lists and mappings of them.
        tables: of the page.
        charts: of the page.
        bars: of the page.
        galleries: of the page.
        notes: what the audit cannot see.
    """

    name: str
    title: str
    hint: str
    checks: Sequence[Check]
    numbers: Mapping[str, Any]
    tables: Sequence[Table] = ()
    charts: Sequence[Chart] = ()
    bars: Sequence[Bars] = ()
    galleries: Sequence[Gallery] = ()
    notes: Sequence[str] = ()

    @property
    def status(self) -> Status:
        """The gravest status of its checks."""
        return gravest([check.status for check in self.checks])


def gravest(statuses: Sequence[Status]) -> Status:
    """Returns the gravest of at least one status."""
    return min(statuses, key=list(STATUSES).index)


def as_json(value: Any) -> Any:  # noqa: ANN401
    """Returns numbers of numpy as Python's, floats with six decimals, and None for what is not finite."""
    if isinstance(value, Mapping):
        return {str(name): as_json(entry) for name, entry in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [as_json(entry) for entry in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value


def number(value: float, digits: int = 3) -> str:
    """Returns a number as the page shows it; a dash for none."""
    return f"{value:.{digits}f}" if math.isfinite(value) else "–"


def percent(share: float) -> str:
    """Returns a share, 0..1, as the page shows it; a dash for none."""
    return f"{100 * share:.2f} %" if math.isfinite(share) else "–"


def rate(share: float) -> str:
    """Returns a false match rate as it is usually written, like 1e-4."""
    return f"{share:.0e}".replace("e-0", "e-")


def counted(amount: int, noun: str, plural: str = "") -> str:
    """Returns an amount with its noun, of which the plural ends in s unless it is given."""
    return f"{amount:,} {noun if amount == 1 else plural or noun + 's'}"


def lowest(values: npt.NDArray[Any], most: int) -> npt.NDArray[np.int64]:
    """Returns the positions of the lowest of (N,) values, at most so many, lowest first; what is not finite is none."""
    order = np.argsort(values, kind="stable")
    positions: npt.NDArray[np.int64] = order[np.isfinite(values[order])][:most].astype(np.int64)
    return positions


def highest(values: npt.NDArray[Any], most: int) -> npt.NDArray[np.int64]:
    """Returns the positions of the highest of (N,) values, at most so many, highest first, as `lowest` does."""
    return lowest(-values, most)
