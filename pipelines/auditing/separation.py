"""Audits: is every class somebody new, and are no two of them the same?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from pipelines.auditing.drawing import distribution
from pipelines.auditing.exported_images import ExportedImages
from pipelines.auditing.findings import LISTED, STRIP, Audit, Check, Gallery, Strip, Table, counted, number, percent
from pipelines.auditing.material import Material
from pipelines.reporting.charts import Mark
from synth.audits.neighbours import Neighbours, find_neighbours
from synth.audits.uniqueness import PUBLISHED_THRESHOLDS, packing_uniqueness, strict_uniqueness

_SHOWN_PAIRS: Final = 8
_SHOWN_GROUPS: Final = 4


def audit_uniqueness(material: Material, bound: float | None, bound_source: str) -> Audit:
    """Counts the classes that are nobody who came before, in the order of their labels."""
    thresholds = {} if bound is None else {bound_source: bound}
    thresholds |= {f"{paper}, of its own recogniser": value for paper, value in PUBLISHED_THRESHOLDS.items()}
    strict = strict_uniqueness(material.centres, list(thresholds.values()))
    packing = [packing_uniqueness(material.centres, value) for value in thresholds.values()]
    readings = [
        {"threshold_of": name, "threshold": value, "strict": u_strict, "packing": u_packing}
        for (name, value), u_strict, u_packing in zip(thresholds.items(), strict, packing, strict=True)
    ]
    return Audit(
        name="uniqueness",
        title="Uniqueness",
        hint="The share of classes whose centre is not too similar to one before it, in the order of the labels "
        "(U_class). Strict compares with every earlier centre, as the equation of DCFace is written; packing with the "
        "accepted earlier ones only, as its text says.",
        checks=[_uniqueness_check(bound, bound_source, packing[0])],
        numbers={"readings": readings, "num_classes": len(material.centres)},
        tables=[
            Table(
                title="U_class",
                head=["Threshold", "Similarity", "Strict", "Packing"],
                rows=[
                    [name, number(value), percent(u_strict), percent(u_packing)]
                    for (name, value), u_strict, u_packing in zip(thresholds.items(), strict, packing, strict=True)
                ],
            )
        ],
        notes=[
            "A published threshold belongs to the recogniser of its paper. One that learned from photos sees all "
            "rendered faces as relatives, and counts few of them as unique at 0.3."
        ],
    )


def audit_neighbours(material: Material, bound: float | None, bound_source: str, images: ExportedImages) -> Audit:
    """Compares the centres of all classes with each other."""
    found = find_neighbours(material.centres, np.inf if bound is None else bound, most_pairs=LISTED)
    labels, nearest = material.centre_labels, found.similarities[np.isfinite(found.similarities)]
    merged = found.merged()
    marks = [] if bound is None else [Mark(value=bound, name="bound")]
    chart = distribution(
        "similarity to the nearest other class", found.similarities, of="classes", unit="cosine similarity", marks=marks
    )
    quantiles = {f"{100 * q:g} %": float(np.quantile(nearest, q)) for q in (0.5, 0.9, 0.99)} if len(nearest) else {}
    return Audit(
        name="neighbours",
        title="Neighbours",
        hint="How similar the centre of each class is to its nearest other one. Classes that a chain of pairs above "
        "the bound joins are merged: the recogniser can hardly tell them apart.",
        checks=[_neighbour_check(found, bound, bound_source)],
        numbers={
            "num_classes": len(labels),
            "bound": bound,
            "largest": float(nearest.max()) if len(nearest) else None,
            "mean": float(nearest.mean()) if len(nearest) else None,
            "quantiles": quantiles,
            "pairs_above": found.num_above,
            "merged": [labels[group].tolist() for group in merged[:LISTED]],
            "closest": [
                {"labels": labels[pair].tolist(), "similarity": value}
                for pair, value in zip(found.closest.pairs, found.closest.similarities, strict=True)
            ],
        },
        tables=[_nearest_table(nearest, quantiles)],
        charts=[chart] if chart else [],
        galleries=_galleries(material, found, merged, images),
    )


def _uniqueness_check(bound: float | None, source: str, share: float) -> Check:
    name = "classes that are somebody new"
    if bound is None:
        return Check(name=name, status="none", says="neither the run nor the command line sets a bound to judge by")
    return Check(
        name=name,
        status="ok" if share == 1 else "fail",
        says=f"{percent(share)} at a similarity of {bound:g}, packing",
        source=f"fails below 100 %, as no two classes may exceed {source}",
    )


def _neighbour_check(found: Neighbours, bound: float | None, source: str) -> Check:
    name = "no two classes above the bound"
    largest = float(found.similarities.max())
    says = f"the most similar two have {number(largest)}" if np.isfinite(largest) else "there is one class only"
    if bound is None:
        return Check(name=name, status="none", says=f"no bound is set; {says}")
    if found.num_above == 0:
        return Check(name=name, status="ok", says=f"{says}, the bound is {bound:g}", source=source)
    merged = found.merged()
    return Check(
        name=name,
        status="fail",
        says=f"{counted(found.num_above, 'pair')} above {bound:g}; {says}; "
        f"{sum(map(len, merged)):,} classes merge into {counted(len(merged), 'person', 'people')}",
        source=f"fails above {source}",
    )


def _nearest_table(nearest: npt.NDArray[np.float32], quantiles: Mapping[str, float]) -> Table:
    rows = [[f"{name} of the classes have at most", number(value)] for name, value in quantiles.items()]
    if len(nearest):
        rows = [["mean", number(float(nearest.mean()))], *rows, ["largest", number(float(nearest.max()))]]
    return Table(title="Similarity to the nearest other class", head=["", "Similarity"], rows=rows)


def _galleries(material: Material, found: Neighbours, merged: list[list[int]], images: ExportedImages) -> list[Gallery]:
    labels = material.centre_labels
    pairs = zip(found.closest.pairs[:_SHOWN_PAIRS], found.closest.similarities[:_SHOWN_PAIRS], strict=True)
    closest = [
        Strip(
            title=f"Labels {labels[first]} and {labels[second]}",
            subtitle=f"similarity {value:.3f}",
            groups=[images.pictures(material.kept.rows_of(int(labels[at]), STRIP // 2)) for at in (first, second)],
        )
        for (first, second), value in pairs
    ]
    groups = [
        Strip(
            title=f"Labels {', '.join(map(str, labels[group[:STRIP]]))}{', ...' if len(group) > STRIP else ''}",
            subtitle=counted(len(group), "class", "classes"),
            groups=[images.pictures(material.kept.rows_of(int(labels[at]), 1)) for at in group[:STRIP]],
        )
        for group in merged[:_SHOWN_GROUPS]
    ]
    found_galleries = [
        Gallery(title="Most similar classes", hint="First samples of one class, then of the other.", strips=closest),
        Gallery(title="Merged classes", hint="The first sample of each class of a group.", strips=groups),
    ]
    return [gallery for gallery in found_galleries if gallery.strips]
