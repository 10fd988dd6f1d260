"""Charts as inline SVG: a histogram of one or two series over the same bins, drawn without a plotting library.

Text takes the page's font and colours come from the page's style sheet, so a chart is small, readable by a screen
reader and the same bytes on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from markupsafe import Markup, escape

from pipelines.reporting.axes import SMALL, TOP, Plane, horizontal_axis, svg, vertical_axis

NUM_BINS = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Bars of one colour.

    Attributes:
        style: class of the style sheet, 'first', 'second' or 'outside'.
        name: what the bars count, for the legend.
        heights: float64 (bins,), on the common vertical axis.
    """

    style: str
    name: str
    heights: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A vertical line at a number of the horizontal axis, like a filter's bound."""

    value: float
    name: str


def bin_edges(values: npt.NDArray[np.floating[Any]], include: Sequence[float] = ()) -> npt.NDArray[np.float64]:
    """Returns edges of equal bins that show the bulk of the values and the given numbers.

    Whole numbers of a small range get a bin each, with an empty one on both sides. Otherwise the range is the middle
    99.8 % of the values, widened to the numbers in `include`, so that one outlier does not flatten the chart.

    Args:
        values: (N,), finite, N >= 1.
        include: numbers that must be visible, like bounds; not finite ones are left out.

    Returns:
        float64 (bins + 1,), increasing.
    """
    shown = [number for number in include if math.isfinite(number)]
    low, high = float(values.min()), float(values.max())
    if high - low < NUM_BINS and not np.any(values % 1):
        low, high = math.floor(min([low, *shown])) - 1, math.ceil(max([high, *shown])) + 1
        return np.arange(low, high + 2, dtype=np.float64) - 0.5
    low, high = np.quantile(values, [0.001, 0.999]).tolist()
    low, high = min([low, *shown]), max([high, *shown])
    if high <= low:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, NUM_BINS + 1, dtype=np.float64)


def heights(values: npt.NDArray[np.floating[Any]], edges: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Returns how many values fall into each bin, float64 (bins,); the outermost bins also take what lies beyond."""
    clipped = np.clip(values.astype(np.float64), edges[0], edges[-1])
    return np.histogram(clipped, edges)[0].astype(np.float64)


def histogram(
    edges: npt.NDArray[np.float64],
    series: Sequence[Series],
    *,
    description: str,
    unit: str,
    marks: Sequence[Mark] = (),
    stacked: bool = False,
    size: tuple[int, int] = SMALL,
) -> Markup:
    """Draws bars over common bins.

    Args:
        edges: float64 (bins + 1,).
        series: one or two; overlaid, or on top of each other if `stacked`.
        description: what a reader who cannot see the chart should know.
        unit: of the horizontal axis, written below it.
        marks: vertical lines.
        stacked: whether heights add up.
        size: width and height of the view box, px.

    Returns:
        An `<svg>` element.
    """
    total = np.sum([one.heights for one in series], axis=0) if stacked else np.max([s.heights for s in series], axis=0)
    plane = Plane(float(edges[0]), float(edges[-1]), max(float(total.max()), 1e-9), *size)
    parts = [*vertical_axis(plane), *horizontal_axis(plane, unit, float(edges[1] - edges[0]))]
    floor = np.zeros(len(edges) - 1)
    for one in series:
        parts.append(_bars(plane, edges, floor, one))
        floor = floor + one.heights if stacked else floor
    parts += [part for mark in marks for part in _mark(plane, mark)]
    return svg(plane, parts, description)


def _bars(plane: Plane, edges: npt.NDArray[np.float64], floor: npt.NDArray[np.float64], series: Series) -> str:
    steps = []
    for left, right, bottom, height in zip(edges[:-1], edges[1:], floor, series.heights, strict=True):
        if height > 0:
            width = plane.x(right) - plane.x(left)
            gap = min(1.0, width * 0.12)
            top = plane.y(bottom + height)
            drop = plane.y(bottom) - top
            steps.append(f"M{plane.x(left):.1f} {top:.1f}h{width - gap:.1f}v{drop:.1f}h{gap - width:.1f}z")
    return f'<path class="bars {series.style}" d="{"".join(steps)}"/>'


def _mark(plane: Plane, mark: Mark) -> list[str]:
    x = plane.x(mark.value)
    anchor, shift = ("end", -4) if x > plane.width / 2 else ("start", 4)
    return [
        f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 12}" y2="{plane.bottom}"/>',
        f'<text class="note" x="{x + shift:.1f}" y="{TOP - 4}" text-anchor="{anchor}">'
        f"{escape(mark.name)} {mark.value:.3g}</text>",
    ]
