from xml.etree import ElementTree

import numpy as np
import pytest

from pipelines.reporting.axes import TOP, WIDE, Plane
from pipelines.reporting.curves import Line, curves

BOTTOM = Plane(0, 1, 1, *WIDE).bottom


def drawn(*heights):
    """Returns the heights of a line's points in the chart, px from above, and the texts of the chart."""
    line = Line(name="loss", x=np.arange(len(heights), dtype=np.float64), y=np.array(heights, dtype=np.float64))
    svg = ElementTree.fromstring(curves([line], description="loss", unit="steps"))
    (path,) = svg.iter("path")
    points = path.attrib["d"].removeprefix("M").split("L")
    return [float(point.split()[1]) for point in points], [element.text for element in svg.iter("text")]


def test_a_line_above_zero_stands_on_zero():
    places, _ = drawn(0, 1, 2)

    assert places == pytest.approx([BOTTOM, (BOTTOM + TOP) / 2, TOP], abs=0.1)


def test_a_line_that_falls_below_zero_is_drawn_there():
    places, texts = drawn(10, 0, -30)

    assert places == pytest.approx([TOP, TOP + (BOTTOM - TOP) / 4, BOTTOM], abs=0.1)
    assert "-20" in texts


def test_a_line_below_zero_hangs_from_zero():
    places, texts = drawn(-4, -2)

    assert places == pytest.approx([BOTTOM, (BOTTOM + TOP) / 2], abs=0.1)
    assert "0" in texts
