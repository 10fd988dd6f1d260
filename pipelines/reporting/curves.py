"""Lines as inline SVG: how a number changes with another one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from markupsafe import Markup, escape

from pipelines.reporting.axes import WIDE, Plane, horizontal_axis, svg, vertical_axis

MAX_POINTS = 400  # of a line; more cannot be seen
NUM_STYLES = 6  # lines that have a colour of their own


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line.

    Attributes:
        name: for the legend.
        x: float (N,), rising.
        y: float (N,).
    """

    name: str
    x: npt.NDArray[np.float64]
    y: npt.NDArray[np.float64]


def curves(
    lines: Sequence[Line],
    *,
    description: str,
    unit: str,
    logarithmic: bool = False,
    size: tuple[int, int] = WIDE,
) -> Markup:
    """Draws lines over a common horizontal axis; the vertical one always shows 0.

    Args:
        lines: at least one, with at least one point each.
        description: what a reader who cannot see the chart should know.
        unit: of the horizontal axis, written below it.
        logarithmic: whether the horizontal axis shows powers of ten; its numbers must be above 0.
        size: width and height of the view box, px.

    Returns:
        An `<svg>` element.
    """
    places = [np.log10(line.x) if logarithmic else line.x for line in lines]
    low, high = min(float(x[0]) for x in places), max(float(x[-1]) for x in places)
    floor, top = min(float(line.y.min()) for line in lines), max(float(line.y.max()) for line in lines)
    plane = Plane(low, high if high > low else low + 1, max(top, 1e-9), *size, floor=min(floor, 0.0))
    parts = vertical_axis(plane)
    parts += _decades(plane, unit) if logarithmic else horizontal_axis(plane, unit)
    parts += [_path(plane, x, line.y, number) for number, (x, line) in enumerate(zip(places, lines, strict=True))]
    return svg(plane, parts, description)


def legend(names: Sequence[str]) -> Markup:
    """Returns the key of lines in the order they were drawn."""
    keys = [
        f'<span><i class="key-{number % NUM_STYLES}"></i>{escape(name)}</span>' for number, name in enumerate(names)
    ]
    return Markup(f'<p class="legend">{"".join(keys)}</p>')


def _path(plane: Plane, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], number: int) -> str:
    chosen = np.unique(np.linspace(0, len(x) - 1, MAX_POINTS).round().astype(np.int64))
    steps = [f"{plane.x(float(x[at])):.1f} {plane.y(float(y[at])):.1f}" for at in chosen]
    return f'<path class="line style-{number % NUM_STYLES}" d="M{"L".join(steps)}"/>'


def _decades(plane: Plane, unit: str) -> list[str]:
    """Returns the horizontal axis with a number at each power of ten."""
    first, last = math.ceil(plane.low - 1e-9), math.floor(plane.high + 1e-9)
    parts = [part for part in horizontal_axis(plane, unit) if 'class="tick"' not in part]
    for power in range(first, last + 1):
        place = f'x="{plane.x(power):.1f}" y="{plane.bottom + 13}"'
        parts.append(f'<text class="tick" {place} text-anchor="middle">{10.0**power:g}</text>')
    return parts
