"""Charts of the audits: histograms of one or two samples of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.auditing.findings import Chart
from pipelines.reporting.charts import Mark, Series, bin_edges, heights, histogram

Numbers = npt.NDArray[np.floating[Any]]


def distribution(title: str, values: Numbers, *, of: str, unit: str = "", marks: Sequence[Mark] = ()) -> Chart | None:
    """Draws how often numbers occur.

    Args:
        title: of the chart.
        values: (N,); what is not finite is left out.
        of: what is counted, like 'classes'.
        unit: of the horizontal axis.
        marks: vertical lines.

    Returns:
        None where there is no number.
    """
    finite = values[np.isfinite(values)]
    if len(finite) == 0:
        return None
    edges = bin_edges(finite, [mark.value for mark in marks])
    drawing = histogram(
        edges,
        [Series(style="first", name=of, heights=heights(finite, edges))],
        description=f"Histogram of {title} over {len(finite)} {of}: mean {finite.mean():.3g}, "
        f"{finite.min():.3g} to {finite.max():.3g}.",
        unit=unit,
        marks=marks,
    )
    return Chart(title=f"{title[:1].upper()}{title[1:]}", drawing=drawing)


def compared_distributions(
    title: str, first: tuple[str, Numbers], second: tuple[str, Numbers], *, unit: str, marks: Sequence[Mark] = ()
) -> Chart | None:
    """Draws two samples of numbers over each other, each as shares of its own.

    Args:
        title: of the chart.
        first: name and numbers (N,); what is not finite is left out.
        second: likewise.
        unit: of the horizontal axis.
        marks: vertical lines.

    Returns:
        None where one of them has no number.
    """
    samples = [(name, values[np.isfinite(values)]) for name, values in (first, second)]
    if any(len(values) == 0 for _, values in samples):
        return None
    # The bulk of both must be seen, however much one outnumbers the other.
    ends = np.concatenate([np.quantile(values, [0.001, 0.999]) for _, values in samples])
    edges = bin_edges(ends, [mark.value for mark in marks])
    series = [
        Series(style=style, name=name, heights=100 * heights(values, edges) / len(values))
        for style, (name, values) in zip(("first", "second"), samples, strict=True)
    ]
    drawing = histogram(
        edges,
        series[::-1],
        description=f"{title}: " + "; ".join(f"{name}, mean {values.mean():.3g}" for name, values in samples) + ".",
        unit=f"{unit}; height: % of a kind",
        marks=marks,
    )
    return Chart(title=title, drawing=drawing, legend={one.style: one.name for one in series})
