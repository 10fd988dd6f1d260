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

SMALL, WIDE = (360, 190), (620, 290)  # px of the view box, width and height; the page scales it
LEFT, RIGHT, TOP, BOTTOM = 44, 10, 16, 30  # px, room for the axes
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


@dataclass(frozen=True, slots=True)
class _Plane:
    """Maps numbers of both axes to px of the view box."""

    low: float
    high: float
    top: float
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.width - RIGHT

    @property
    def bottom(self) -> int:
        return self.height - BOTTOM

    def x(self, value: float) -> float:
        return LEFT + (value - self.low) / (self.high - self.low) * (self.right - LEFT)

    def y(self, value: float) -> float:
        return self.bottom - value / self.top * (self.bottom - TOP)


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
    plane = _Plane(float(edges[0]), float(edges[-1]), max(float(total.max()), 1e-9), *size)
    parts = [*_vertical_axis(plane), *_horizontal_axis(plane, unit, float(edges[1] - edges[0]))]
    floor = np.zeros(len(edges) - 1)
    for one in series:
        parts.append(_bars(plane, edges, floor, one))
        floor = floor + one.heights if stacked else floor
    parts += [part for mark in marks for part in _mark(plane, mark)]
    label = escape(description)
    return Markup(
        f'<svg viewBox="0 0 {plane.width} {plane.height}" role="img" aria-label="{label}"><title>{label}</title>'
        + "".join(parts)
        + "</svg>"
    )


def ticks(low: float, high: float, most: int, at_least: float = 0.0) -> list[float]:
    """Returns round numbers within a range, steps of 1, 2 or 5 times a power of ten, at most about `most`.

    Args:
        low: start of the range.
        high: end of the range, > low.
        most: how many are wanted.
        at_least: the smallest step.
    """
    rough = max((high - low) / most, at_least)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def _bars(plane: _Plane, edges: npt.NDArray[np.float64], floor: npt.NDArray[np.float64], series: Series) -> str:
    steps = []
    for left, right, bottom, height in zip(edges[:-1], edges[1:], floor, series.heights, strict=True):
        if height > 0:
            width = plane.x(right) - plane.x(left)
            gap = min(1.0, width * 0.12)
            top = plane.y(bottom + height)
            drop = plane.y(bottom) - top
            steps.append(f"M{plane.x(left):.1f} {top:.1f}h{width - gap:.1f}v{drop:.1f}h{gap - width:.1f}z")
    return f'<path class="bars {series.style}" d="{"".join(steps)}"/>'


def _vertical_axis(plane: _Plane) -> list[str]:
    parts = []
    for value in ticks(0.0, plane.top, 3):
        y = plane.y(value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{plane.right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="{LEFT - 6}" y="{y + 3.5:.1f}" text-anchor="end">{_short(value)}</text>')
    return parts


def _horizontal_axis(plane: _Plane, unit: str, bin_width: float) -> list[str]:
    y = plane.bottom
    parts = [f'<line class="axis" x1="{LEFT}" x2="{plane.right}" y1="{y}" y2="{y}"/>']
    for value in ticks(plane.low, plane.high, 6, at_least=bin_width):
        x = plane.x(value)
        parts.append(f'<text class="tick" x="{x:.1f}" y="{y + 13}" text-anchor="middle">{_short(value)}</text>')
    parts.append(
        f'<text class="unit" x="{(LEFT + plane.right) / 2}" y="{plane.height - 4}" text-anchor="middle">'
        f"{escape(unit)}</text>"
    )
    return parts


def _mark(plane: _Plane, mark: Mark) -> list[str]:
    x = plane.x(mark.value)
    anchor, shift = ("end", -4) if x > plane.width / 2 else ("start", 4)
    return [
        f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 12}" y2="{plane.bottom}"/>',
        f'<text class="note" x="{x + shift:.1f}" y="{TOP - 4}" text-anchor="{anchor}">'
        f"{escape(mark.name)} {mark.value:.3g}</text>",
    ]


def _short(value: float) -> str:
    """Writes a tick: 20000 as 20k, 0.30 as 0.3."""
    if abs(value) >= 1e6:
        return f"{value / 1e6:g}M"
    if abs(value) >= 1e4:
        return f"{value / 1e3:g}k"
    return f"{value:.6g}"
