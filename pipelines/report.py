"""The report of a run: one page with pictures and numbers, and a contact sheet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from pipelines.reporting.component_facts import component_type, image_license
from pipelines.reporting.distributions import filter_chart, similarity_chart, truth_distributions
from pipelines.reporting.pictures import contact_sheet, dropped_row, kept_rows, pair_rows
from pipelines.reporting.run_tables import RunTables
from pipelines.reporting.similarities import nearest_pairs, similarity_pairs
from pipelines.reporting.summary import (
    SELECTION_REASONS,
    count,
    drop_reasons,
    shortages,
    stage_speeds,
    summarise_filter,
)
from pipelines.reporting.template import render
from synth.shards.commit import replace_file

NEAREST_PAIRS = 6


def write_report(run_dir: Path) -> Path:
    """Writes `report/index.html` and `report/contact_sheet.jpg` from the files of a run directory.

    The page needs nothing but itself: no network, no scripts. The same run gives the same bytes.

    Args:
        run_dir: a run whose stages up to `select` are committed.

    Returns:
        Path of the page.

    Raises:
        RunError: the directory is no run, or its selection is missing.
        ShardError: committed data is damaged.
    """
    tables = RunTables(run_dir)
    folder = tables.directory.report
    folder.mkdir(exist_ok=True)
    replace_file(folder / "contact_sheet.jpg", contact_sheet(tables))
    page = folder / "index.html"
    replace_file(page, _render(tables).encode())
    return page


def _render(tables: RunTables) -> str:
    speeds = stage_speeds(tables)
    return render(
        "page.html",
        run=_origin(tables),
        counts=count(tables),
        kept=kept_rows(tables),
        reasons=SELECTION_REASONS,
        shortages=shortages(tables),
        speeds=speeds,
        shards=sum(speed.shards for speed in speeds),
        cpu_seconds=sum(speed.cpu_seconds for speed in speeds),
        **_filter_parts(tables),
        **_similarity_parts(tables),
        **_truth_parts(tables),
    )


def _origin(tables: RunTables) -> Mapping[str, Any]:
    """Returns where the run came from: components, licence, seed, versions and the configuration itself."""
    config = tables.config
    return {
        "name": tables.directory.root.resolve().name,
        "generator": component_type(config, "generator"),
        "recogniser": component_type(config, "recogniser"),
        "license": image_license(component_type(config, "generator")),
        "seed": config.get("seed"),
        "created": tables.run.get("created"),
        "versions": tables.run.get("versions", {}),
        "configuration": yaml.safe_dump(dict(config), sort_keys=False, width=100) if config else "",
    }


def _filter_parts(tables: RunTables) -> dict[str, Any]:
    """Returns filter summaries with charts, and the drop reasons with pictures; one filter column at a time."""
    dropped = drop_reasons(tables)
    filters, pictures = [], {}
    for name in tables.filters:
        numbers = tables.numbers(name)
        summary = summarise_filter(tables, name, numbers)
        filters.append((summary, filter_chart(summary, numbers)))
        if name in dropped:
            pictures[name] = dropped_row(tables, name, numbers)
    for name in set(dropped) - set(pictures):
        pictures[name] = dropped_row(tables, name, None)
    return {
        "filters": filters,
        "dropped": [(name, number, pictures[name]) for name, number in dropped.items()],
        "freed": tables.directory.cleaned.exists(),
    }


def _similarity_parts(tables: RunTables) -> dict[str, Any]:
    pairs = similarity_pairs(tables)
    nearest, compared = nearest_pairs(tables, NEAREST_PAIRS)
    return {
        "pairs": pairs,
        "pairs_chart": similarity_chart(pairs) if pairs else None,
        "means": {"genuine": _mean(pairs.genuine), "impostor": _mean(pairs.impostor)} if pairs else {},
        "nearest": pair_rows(tables, nearest),
        "compared": compared,
    }


def _truth_parts(tables: RunTables) -> dict[str, Any]:
    distributions, samples = truth_distributions(tables)
    return {"truth": distributions, "truth_samples": samples}


def _mean(values: npt.NDArray[np.float64]) -> float:
    return float(values.mean())
