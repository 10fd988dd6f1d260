"""The page of a training: its curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import yaml
from markupsafe import Markup

from pipelines.reporting.curves import Line, curves, legend
from pipelines.reporting.template import render
from pipelines.training.folder import TrainingFolder, kept_judgement
from synth.plain_json import read_plain_json
from synth.shards.commit import replace_file

_CHARTS: Sequence[tuple[str, str, Mapping[str, str]]] = (
    ("Loss", "Mean since the line before. It falls while the head still finds the task hard.", {"loss": "loss"}),
    (
        "Similarity and hits",
        "Similarity is the mean cosine of an image to the centre of its identity, hits the share of images for which "
        "it is the nearest centre; both of images that were trained on.",
        {"similarity": "similarity", "hits": "hits"},
    ),
    (
        "Equal error rate on held-out identities",
        "All pairs of one identity against pairs of different ones; the lowest one's parameters are kept.",
        {"equal_error_rate": "equal error rate"},
    ),
    ("Learning rate", "Of the last step before each line.", {"learning_rate": "learning rate"}),
)


def write_page(folder: TrainingFolder) -> None:
    """Writes report/index.html from the log; without one, a page of before stays as it is.

    Raises:
        RunError: the log is damaged.
    """
    lines = folder.lines()
    if not lines:
        return
    record = read_plain_json(folder.record.read_text())
    page = render(
        "training.html",
        name=folder.root.resolve().name,
        config=record["config"],
        dataset=record["dataset"],
        configuration=yaml.safe_dump(record["config"], sort_keys=False, width=100),
        step=max(line["step"] for line in lines),
        seconds=sum(line["seconds"] for line in lines),
        cpu_seconds=sum(line["cpu_seconds"] for line in lines),
        best=kept_judgement(lines),
        charts=[_chart(lines, *chart) for chart in _CHARTS if any(name in line for line in lines for name in chart[2])],
    )
    folder.page.parent.mkdir(exist_ok=True)
    replace_file(folder.page, page.encode())


def _chart(
    lines: Sequence[Mapping[str, Any]], title: str, hint: str, names: Mapping[str, str]
) -> tuple[str, str, Markup, Markup]:
    drawn = []
    for name, words in names.items():
        points = np.array([(line["step"], line[name]) for line in lines if name in line], dtype=np.float64)
        drawn.append(Line(name=words, x=points[:, 0], y=points[:, 1]))
    chart = curves(drawn, description=f"{title} by step", unit="steps")
    return title, hint, chart, legend(list(names.values()) if len(names) > 1 else [])
