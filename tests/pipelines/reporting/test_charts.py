import math
from xml.etree import ElementTree

import numpy as np
import pytest

from pipelines.reporting.axes import ticks
from pipelines.reporting.charts import Mark, Series, bin_edges, heights, histogram


def test_bins_show_the_bulk_and_the_bounds_despite_an_outlier():
    values = np.append(np.linspace(0, 1, 9999), 1e6).astype(np.float32)

    edges = bin_edges(values, [-0.5, math.inf])

    assert edges[0] == -0.5
    assert edges[-1] < 1.1


def test_small_whole_numbers_get_a_bin_each():
    edges = bin_edges(np.array([0, 1, 1, 3], np.float32), [1.0])

    assert edges.tolist() == [-1.5, -0.5, 0.5, 1.5, 2.5, 3.5, 4.5]


def test_one_value_repeated_still_has_a_range():
    edges = bin_edges(np.full(5, 0.25, np.float32))

    assert edges[0] == -0.25
    assert edges[-1] == 0.75


def test_heights_count_every_value_even_beyond_the_edges():
    counts = heights(np.array([-9, 0.1, 0.6, 0.9, 7], np.float32), np.array([0, 0.5, 1.0]))

    assert counts.tolist() == [2, 3]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]), (-40, 40, [-40, -20, 0, 20, 40]), (0, 3, [0, 1, 2, 3])],
)
def test_ticks_are_round_numbers(low, high, expected):
    assert ticks(low, high, 5) == pytest.approx(expected)


def test_ticks_are_no_finer_than_asked():
    assert ticks(-0.5, 2.5, 6, at_least=1.0) == [0, 1, 2]


def test_histogram_is_well_formed_and_says_what_it_shows():
    edges = np.array([0.0, 1.0, 2.0])
    series = [Series(style="first", name="kept", heights=np.array([3.0, 0.0]))]

    svg = ElementTree.fromstring(
        histogram(edges, series, description="a < b & c", unit="grey <levels>", marks=[Mark(value=0.5, name="min")])
    )

    assert svg.attrib["aria-label"] == "a < b & c"
    texts = [element.text for element in svg.iter("text")]
    assert "grey <levels>" in texts
    assert "min 0.5" in texts
    (bars,) = svg.iter("path")
    assert bars.attrib["d"].count("z") == 1, "an empty bin draws nothing"


def test_stacked_series_stand_on_each_other():
    edges = np.array([0.0, 1.0])
    series = [
        Series(style="first", name="inside", heights=np.array([3.0])),
        Series(style="outside", name="outside", heights=np.array([1.0])),
    ]

    svg = ElementTree.fromstring(histogram(edges, series, description="", unit="", stacked=True))

    lower, upper = (_top_and_height(bars.attrib["d"]) for bars in svg.iter("path"))
    assert lower[0] == pytest.approx(upper[0] + upper[1], abs=0.2)
    assert lower[1] == pytest.approx(3 * upper[1], abs=0.2)


def _top_and_height(path: str) -> tuple[float, float]:
    start, _, rest = path.partition("h")
    return float(start.split()[1]), float(rest.split("v")[1].split("h")[0])
