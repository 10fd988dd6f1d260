"""The frame of a chart: the plane that numbers are drawn on, its axes and their ticks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

SMALL, WIDE = (360, 190), (620, 290)  # px of the view box, width and height; the page scales it
LEFT, RIGHT, TOP, BOTTOM = 44, 10, 16, 30  # px, room for the axes


@dataclass(frozen=True, slots=True)
class Plane:
    """Maps numbers of both axes to px of the view box.

    Attributes:
        low: number at the left.
        high: number at the right, > low.
        top: number at the upper end, > 0.
        width: of the view box, px.
        height: of the view box, px.
        floor: number at the lower end, <= 0.
    """

    low: float
    high: float
    top: float
    width: int
    height: int
    floor: float = 0.0

    @property
    def right(self) -> int:
        """Where the horizontal axis ends, px."""
        return self.width - RIGHT

    @property
    def bottom(self) -> int:
        """Where the horizontal axis is, px."""
        return self.height - BOTTOM

    def x(self, value: float) -> float:
        """Returns the place of a number of the horizontal axis, px."""
        return LEFT + (value - self.low) / (self.high - self.low) * (self.right - LEFT)

    def y(self, value: float) -> float:
        """Returns the place of a number of the vertical axis, px."""
        return self.bottom - (value - self.floor) / (self.top - self.floor) * (self.bottom - TOP)


def svg(plane: Plane, parts: Sequence[str], description: str) -> Markup:
    """Returns an `<svg>` element of parts; the description is for readers who cannot see it."""
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


def vertical_axis(plane: Plane) -> list[str]:
    """Returns lines of the grid with their numbers."""
    parts = []
    for value in ticks(plane.floor, plane.top, 3):
        y = plane.y(value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{plane.right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="{LEFT - 6}" y="{y + 3.5:.1f}" text-anchor="end">{_short(value)}</text>')
    return parts


def horizontal_axis(plane: Plane, unit: str, at_least: float = 0.0) -> list[str]:
    """Returns the line with round numbers, at least a distance apart, and the unit below it."""
    y = plane.bottom
    parts = [f'<line class="axis" x1="{LEFT}" x2="{plane.right}" y1="{y}" y2="{y}"/>']
    for value in ticks(plane.low, plane.high, 6, at_least=at_least):
        x = plane.x(value)
        anchor = "end" if x > plane.right - RIGHT else "middle"  # a long number there would be cut off
        parts.append(f'<text class="tick" x="{x:.1f}" y="{y + 13}" text-anchor="{anchor}">{_short(value)}</text>')
    parts.append(
        f'<text class="unit" x="{(LEFT + plane.right) / 2}" y="{plane.height - 4}" text-anchor="middle">'
        f"{escape(unit)}</text>"
    )
    return parts


def _short(value: float) -> str:
    """Writes a tick: 20000 as 20k, 0.30 as 0.3."""
    if abs(value) >= 1e6:
        return f"{value / 1e6:g}M"
    if abs(value) >= 1e4:
        return f"{value / 1e3:g}k"
    return f"{value:.6g}"
