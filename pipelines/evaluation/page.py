"""The page of an evaluation: a table and the error curves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from pipelines.reporting.curves import Line, curves, legend
from pipelines.reporting.template import render
from synth.evaluation import FARS
from synth.shards.commit import replace_file

if TYPE_CHECKING:
    from pipelines.evaluation.command import PairSet, Result


def write_page(path: Path, results: Sequence[Result], sets: Sequence[PairSet]) -> None:
    """Writes the page of results."""
    charts = [(one, *_chart([result for result in results if result.pair_set is one])) for one in sets]
    replace_file(path, render("evaluation.html", results=results, charts=charts, fars=FARS).encode())


def _chart(results: Sequence[Result]) -> tuple[Markup, Markup]:
    """Draws the false non-match rate over the false match rate, from the smallest rate that one impostor makes."""
    lines = []
    for result in results:
        fmr, fnmr = (numbers[::-1] for numbers in result.evaluation.curve)  # rising FMR
        shown = fmr > 0
        last = np.append(np.flatnonzero(np.diff(fmr[shown]) > 0), np.count_nonzero(shown) - 1)  # lowest FNMR of each
        lines.append(Line(name=result.model.name, x=fmr[shown][last], y=fnmr[shown][last]))
    description = "False non-match rate over false match rate"
    chart = curves(lines, description=description, unit="false match rate", logarithmic=True)
    return chart, legend([line.name for line in lines])
