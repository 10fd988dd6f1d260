"""Audit: do the samples of a class show one person?"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from pipelines.auditing.comparison import FMR, Comparison
from pipelines.auditing.drawing import compared_distributions
from pipelines.auditing.exported_images import ExportedImages
from pipelines.auditing.findings import (
    LISTED,
    OWN_RULE,
    STRIP,
    Audit,
    Chart,
    Check,
    Gallery,
    Strip,
    Table,
    highest,
    lowest,
    number,
    percent,
    rate,
)
from pipelines.auditing.material import Material
from pipelines.reporting.charts import Mark
from synth.audits.consistency import (
    DCFACE_THRESHOLD,
    FAIL_BELOW,
    SOURCE,
    WARN_BELOW,
    class_consistency,
    shares_above,
)

_SHOWN_SAMPLES: Final = 12
_SHOWN_CLASSES: Final = 4


def audit_consistency(material: Material, comparison: Comparison, images: ExportedImages) -> Audit:
    """Compares each drawn sample with the centre of its class."""
    drawn, readings = material.drawn, _readings(material, comparison)
    bound = DCFACE_THRESHOLD if comparison.threshold is None else comparison.threshold
    shares = shares_above(comparison.left_out, drawn.labels, bound)
    names = np.unique(drawn.labels)
    worst_samples, worst_classes = lowest(comparison.left_out, LISTED), lowest(shares, LISTED)
    return Audit(
        name="consistency",
        title="Consistency",
        hint="The share of samples that are closer to the centre of their class than a threshold, averaged over "
        "classes (C_intra). Leave-one-out takes the centre of the other samples; with the sample itself in it, the "
        "share rises the fewer samples a class has.",
        checks=[_check(readings, comparison)],
        numbers={
            "readings": readings,
            "num_impostor_pairs": len(comparison.impostors),
            "worst_classes": [{"label": names[at], "share": shares[at]} for at in worst_classes],
            "worst_samples": [
                {"sample": material.kept.key(int(drawn.rows[at])), "similarity": comparison.left_out[at]}
                for at in worst_samples
            ],
        },
        tables=[_table(readings), _spread_of_classes(shares)],
        charts=_charts(comparison),
        galleries=[
            _sample_gallery(material, comparison, images, worst_samples[:_SHOWN_SAMPLES]),
            _class_gallery(material, comparison, images, names[worst_classes[:_SHOWN_CLASSES]]),
        ],
        notes=[
            "The recogniser that judges here is the one that filters and selection used, so it flatters what it chose."
        ],
    )


def _readings(material: Material, comparison: Comparison) -> dict[str, dict[str, float]]:
    """Returns the consistency at each threshold, in both ways."""
    thresholds = {"dcface": DCFACE_THRESHOLD}
    if comparison.threshold is not None:
        thresholds = {"calibrated": comparison.threshold} | thresholds
    labels = material.drawn.labels
    return {
        name: {
            "threshold": threshold,
            "leave_one_out": class_consistency(comparison.left_out, labels, threshold),
            "with_itself": class_consistency(comparison.with_itself, labels, threshold),
        }
        for name, threshold in thresholds.items()
    }


def _check(readings: dict[str, dict[str, float]], comparison: Comparison) -> Check:
    name = "class consistency, leave-one-out"
    if comparison.threshold is None:
        fixed = percent(readings["dcface"]["leave_one_out"])
        says = f"no threshold of this recogniser: {comparison.calibration}. At {DCFACE_THRESHOLD} it would be {fixed}"
        return Check(name=name, status="none", says=says)
    share = readings["calibrated"]["leave_one_out"]
    if not np.isfinite(share):
        return Check(name=name, status="none", says="every class has one sample: there is nothing to compare")
    return Check(
        name=name,
        status="fail" if share < FAIL_BELOW else "warn" if share < WARN_BELOW else "ok",
        says=f"{percent(share)} at a similarity of {comparison.threshold:.3f}: {comparison.calibration}",
        source=f"warns below {WARN_BELOW:.0%}, fails below {FAIL_BELOW:.0%}: {OWN_RULE}, {SOURCE}",
    )


def _table(readings: dict[str, dict[str, float]]) -> Table:
    titles = {"calibrated": f"this recogniser at FMR {rate(FMR)}", "dcface": "fixed, as DCFace has it"}
    rows = [
        [titles[name], number(one["threshold"]), percent(one["leave_one_out"]), percent(one["with_itself"])]
        for name, one in readings.items()
    ]
    return Table(
        title="C_intra", head=["Threshold", "Similarity", "Leave-one-out", "With the sample itself"], rows=rows
    )


def _spread_of_classes(shares: npt.NDArray[np.float64]) -> Table:
    """Returns how many classes have which share of their samples above the threshold."""
    known = shares[np.isfinite(shares)]
    edges = [("all", 1.0, np.inf), ("0.9 or more", 0.9, 1.0), ("0.7 to 0.9", 0.7, 0.9), ("less", -np.inf, 0.7)]
    rows = [[name, f"{np.sum((known >= low) & (known < high)):,}"] for name, low, high in edges]
    return Table(
        title="Classes by the share of their samples", head=["Share above the threshold", "Classes"], rows=rows
    )


def _charts(comparison: Comparison) -> list[Chart]:
    marks = [] if comparison.threshold is None else [Mark(value=comparison.threshold, name="threshold")]
    chart = compared_distributions(
        "Similarity to the own class, and of impostors",
        ("sample and centre of the others", comparison.left_out),
        ("samples of two classes", comparison.impostors),
        unit="cosine similarity",
        marks=marks,
    )
    return [chart] if chart else []


def _sample_gallery(
    material: Material, comparison: Comparison, images: ExportedImages, worst: npt.NDArray[np.int64]
) -> Gallery:
    drawn, strips = material.drawn, []
    for at in worst.tolist():
        members = np.flatnonzero(drawn.labels == drawn.labels[at])
        typical = members[highest(comparison.left_out[members], STRIP - 1)]
        similarity = f"similarity {comparison.left_out[at]:.3f}"
        strips.append(
            Strip(
                title=material.kept.key(int(drawn.rows[at])),
                subtitle=similarity,
                groups=[
                    images.pictures([int(drawn.rows[at])]),
                    images.pictures(drawn.rows[typical[typical != at]].tolist()),
                ],
            )
        )
    return Gallery(
        title="Samples furthest from their class",
        hint="First the sample, then the most typical ones of its class.",
        strips=strips,
    )


def _class_gallery(
    material: Material, comparison: Comparison, images: ExportedImages, labels: npt.NDArray[np.int64]
) -> Gallery:
    drawn, strips = material.drawn, []
    for label in labels.tolist():
        members = np.flatnonzero(drawn.labels == label)
        worst = members[lowest(comparison.left_out[members], STRIP)]
        notes = [f"{value:.2f}" for value in comparison.left_out[worst]]
        pictures = images.pictures(drawn.rows[worst].tolist(), notes)
        strips.append(Strip(title=f"Label {label}", subtitle="its samples, the furthest first", groups=[pictures]))
    return Gallery(
        title="Least consistent classes",
        hint="Classes with the smallest share of samples above the threshold; below each its similarity to the others.",
        strips=strips,
    )
