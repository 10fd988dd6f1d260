"""Charts of the report's numbers: filters with their bounds, similarities, and what the generator knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from filters.base import within
from pipelines.reporting.axes import WIDE
from pipelines.reporting.charts import Mark, Series, bin_edges, heights, histogram
from pipelines.reporting.component_facts import component_type, truth_units
from pipelines.reporting.run_tables import RunTables
from pipelines.reporting.similarities import Pairs, spread
from pipelines.reporting.summary import FilterSummary

MAX_TRUTH_SHARDS = 64  # whose truth columns are read
MAX_CATEGORIES = 12  # a column with more different values is a measurement, or has the rest put together


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One value of a column and how often kept samples have it."""

    name: str
    count: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """One truth column over kept samples: a chart of a measurement, or bars of categories.

    Attributes:
        title: the column's name in words.
        chart: `<svg>`; None for categories.
        bars: of categories; empty for a measurement.
    """

    title: str
    chart: Markup | None
    bars: Sequence[Bar]


def filter_chart(summary: FilterSummary, numbers: npt.NDArray[np.float32]) -> Markup | None:
    """Draws the numbers of all candidates, those within the bounds and those outside on top of each other.

    Returns:
        None where no candidate has a number.
    """
    measured = numbers[np.isfinite(numbers)]
    if len(measured) == 0:
        return None
    bounds = [Mark(value=v, name=n) for v, n in ((summary.min, "min"), (summary.max, "max")) if np.isfinite(v)]
    edges = bin_edges(measured, [mark.value for mark in bounds])
    inside = within(measured, summary.min, summary.max)
    return histogram(
        edges,
        [
            Series(style="first", name="within the bounds", heights=heights(measured[inside], edges)),
            Series(style="outside", name="outside", heights=heights(measured[~inside], edges)),
        ],
        description=f"Histogram of {in_words(summary.name)} over {len(measured)} candidates; "
        f"{summary.passed} are within the bounds ({summary.bounds}).",
        unit=summary.unit,
        marks=bounds,
        stacked=True,
    )


def similarity_chart(pairs: Pairs) -> Markup:
    """Draws the shares of genuine and impostor pairs by cosine similarity, with the threshold of the EER."""
    edges = bin_edges(np.concatenate([pairs.genuine, pairs.impostor]), [pairs.threshold])
    series = [
        Series(style=style, name=name, heights=100 * heights(values, edges) / len(values))
        for style, name, values in (("second", "impostor", pairs.impostor), ("first", "genuine", pairs.genuine))
    ]
    return histogram(
        edges,
        series,
        description=f"Cosine similarity of {len(pairs.genuine)} genuine and {len(pairs.impostor)} impostor pairs; "
        f"equal error rate {100 * pairs.error_rate:.2f} % at {pairs.threshold:.3f}.",
        unit="cosine similarity; height: % of the pairs of a kind",
        marks=[Mark(value=pairs.threshold, name="EER threshold")],
        size=WIDE,
    )


def truth_distributions(tables: RunTables) -> tuple[list[Distribution], int]:
    """Describes every plain truth column over kept samples; columns of lists, like landmarks, are left out.

    Returns:
        Distributions in the generator's order, and how many kept samples they were taken from: all, or those of
        MAX_TRUTH_SHARDS evenly spread shards.
    """
    names = tables.truth_columns()
    decisions = tables.decisions
    shards = np.unique(decisions.shard[decisions.kept])
    columns: dict[str, list[npt.NDArray[Any]]] = {name: [] for name in names}
    total = 0
    for shard in shards[spread(len(shards), MAX_TRUTH_SHARDS)].tolist() if names else []:
        table = tables.shard_table("generate", shard, ["identity", "index", *(f"truth_{name}" for name in names)])
        rows = decisions.rows_of_shard(shard)
        where = tables.positions(table["identity"], table["index"], rows[decisions.kept[rows]])
        total += len(where)
        for name in names:
            columns[name].append(table[f"truth_{name}"][where])
    units = truth_units(component_type(tables.config, "generator"))
    found = [
        _distribution(name, np.concatenate(parts), units.get(name, "")) for name, parts in columns.items() if parts
    ]
    return [one for one in found if one is not None], total


def in_words(name: str) -> str:
    """Returns a column's name as a reader would say it."""
    return name.replace("_", " ")


def _distribution(name: str, values: npt.NDArray[Any], unit: str) -> Distribution | None:
    if values.ndim != 1:
        return None
    if values.dtype.kind in "bUO" or (values.dtype.kind in "iu" and len(np.unique(values)) <= MAX_CATEGORIES):
        return Distribution(title=in_words(name), chart=None, bars=_bars(values))
    measured = values[np.isfinite(values)].astype(np.float32)
    if len(measured) == 0:
        return None
    edges = bin_edges(measured)
    chart = histogram(
        edges,
        [Series(style="first", name="kept", heights=heights(measured, edges))],
        description=f"Histogram of {in_words(name)} over {len(measured)} kept samples: "
        f"{measured.min():.3g} to {measured.max():.3g}, mean {measured.mean():.3g}.",
        unit=unit,
    )
    return Distribution(title=in_words(name), chart=chart, bars=[])


def _bars(values: npt.NDArray[Any]) -> list[Bar]:
    """Counts values, most frequent first (numbers and yes/no in their own order); rare ones are put together."""
    if values.dtype.kind == "b":
        values = np.where(values, "yes", "no")
    names, counts = np.unique(values, return_counts=True)
    order = np.argsort(-counts, kind="stable") if values.dtype.kind in "UO" else np.arange(len(names))
    entries = [(str(names[at]) or "none", int(counts[at])) for at in order]
    if len(entries) > MAX_CATEGORIES:
        rest = sum(number for _, number in entries[MAX_CATEGORIES - 1 :])
        entries = [*entries[: MAX_CATEGORIES - 1], ("others", rest)]
    return [Bar(name=name, count=number, share=number / len(values)) for name, number in entries]
