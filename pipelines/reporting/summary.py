"""The numbers of the report: counts, what each filter let through, why samples were dropped, time by stage."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from filters.base import within
from pipelines.fingerprint import STAGES
from pipelines.reporting.component_facts import filter_unit
from pipelines.reporting.run_tables import RunTables
from pipelines.schema import filter_name

SELECTION_REASONS: Mapping[str, str] = {
    "main_cluster": "it lies outside the main cluster of the identity's embeddings",
    "images_per_identity": "the identity had enough kept images before this one",
    "min_images_per_identity": "too few images of the identity passed the filters",
    "max_inter_class_similarity": "the identity is too similar to one that is kept",
    "balance": "enough identities of its kind were kept before",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The run in a few numbers: identities and images before and after selection."""

    identities: int
    kept_identities: int
    candidates: int
    kept: int

    @property
    def keep_rate(self) -> float:
        """Share of the candidates that were kept, 0..1; 0 where there were none."""
        return self.kept / self.candidates if self.candidates else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterSummary:
    """What one filter did.

    Attributes:
        name: of the filter and its column.
        unit: of its number; empty where the filter's module is not at hand.
        min: smallest number that passes, -inf for none.
        max: largest number that passes, inf for none.
        passed: candidates within the bounds, whatever the other filters say.
        dropped: candidates this filter was the first to reject.
        unmeasured: candidates without a number (NaN), which never pass.
        candidates: all candidates.
    """

    name: str
    unit: str
    min: float
    max: float
    passed: int
    dropped: int
    unmeasured: int
    candidates: int

    @property
    def pass_rate(self) -> float:
        """Share of the candidates within the bounds, 0..1."""
        return self.passed / self.candidates if self.candidates else 0.0

    @property
    def bounds(self) -> str:
        """The bounds in words."""
        parts = [f"at least {self.min:g}"] if math.isfinite(self.min) else []
        parts += [f"at most {self.max:g}"] if math.isfinite(self.max) else []
        return ", ".join(parts) or "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSpeed:
    """What a stage cost, over all its shards.

    Attributes:
        name: of the stage.
        shards: committed.
        items: what it counted most of, like 'images'.
        num_items: of them.
        seconds: of all workers together, wall clock.
        cpu_seconds: of all workers together.
    """

    name: str
    shards: int
    items: str
    num_items: int
    seconds: float
    cpu_seconds: float

    @property
    def rate(self) -> float:
        """Items per second of one worker; NaN where no time was recorded."""
        return self.num_items / self.seconds if self.seconds > 0 else math.nan


def count(tables: RunTables) -> Counts:
    """Counts identities and images before and after selection."""
    decisions = tables.decisions
    return Counts(
        identities=len(np.unique(decisions.identity)),
        kept_identities=len(decisions.kept_identities),
        candidates=len(decisions.kept),
        kept=int(decisions.kept.sum()),
    )


def drop_reasons(tables: RunTables) -> dict[str, int]:
    """Returns how many candidates each reason dropped: filters in their order, then the rules of the selection."""
    dropped = tables.decisions.dropped_by[~tables.decisions.kept]
    names, numbers = np.unique(dropped, return_counts=True)
    found = dict(zip(names.tolist(), numbers.tolist(), strict=True))
    known = [*tables.filters, *SELECTION_REASONS]
    return {name: found[name] for name in [*known, *sorted(set(found) - set(known))] if name in found}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    """Identities that have fewer images than they should, by what dropped most of their candidates.

    Attributes:
        reason: a filter or a rule of the selection.
        identities: how many.
        missing: images that they lack together.
        empty: how many of them have none at all.
    """

    reason: str
    identities: int
    missing: int
    empty: int


def shortages(tables: RunTables) -> list[Shortage]:
    """Adds up who is short of images, the most frequent reason first."""
    short = tables.shortfalls
    found = []
    for reason in sorted(set(short["dropped_by"].tolist())):
        rows = short["dropped_by"] == reason
        found.append(
            Shortage(
                reason=reason,
                identities=int(rows.sum()),
                missing=int(short["missing"][rows].sum()),
                empty=int((short["kept"][rows] == 0).sum()),
            )
        )
    return sorted(found, key=lambda shortage: -shortage.identities)


def summarise_filter(tables: RunTables, name: str, numbers: npt.NDArray[np.float32]) -> FilterSummary:
    """Summarises one filter.

    Args:
        tables: of the run.
        name: of the filter.
        numbers: float32 (N,), its column.
    """
    settings = _filter_settings(tables.config, name)
    low, high = _bound(settings, "min", -math.inf), _bound(settings, "max", math.inf)
    return FilterSummary(
        name=name,
        unit=filter_unit(settings.get("type", name)),
        min=low,
        max=high,
        passed=int(within(numbers, low, high).sum()),
        dropped=int((tables.decisions.dropped_by == name).sum()),
        unmeasured=int(np.isnan(numbers).sum()),
        candidates=len(numbers),
    )


def stage_speeds(tables: RunTables) -> list[StageSpeed]:
    """Adds up the shard records of each stage that has any."""
    speeds = []
    for stage in STAGES:
        records = list(tables.records(stage))
        if records:
            totals: dict[str, int] = {}
            for record in records:
                for item, number in record.counts.items():
                    totals[item] = totals.get(item, 0) + number
            items = "images" if "images" in totals else max(totals, key=lambda item: totals[item], default="")
            speeds.append(
                StageSpeed(
                    name=stage,
                    shards=len(records),
                    items=items,
                    num_items=totals.get(items, 0),
                    seconds=sum(record.seconds for record in records),
                    cpu_seconds=sum(record.cpu_seconds for record in records),
                )
            )
    return speeds


def _filter_settings(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Returns a filter's section of the configuration; empty where it has none."""
    sections = [section for section in config.get("filters", []) if filter_name(str(section.get("type"))) == name]
    return dict(sections[0]) if sections else {}


def _bound(settings: Mapping[str, Any], name: str, default: float) -> float:
    value = settings.get(name)
    return default if value is None else float(value)
