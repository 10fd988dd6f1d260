"""Audit: how much do the samples of a class differ?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pipelines.auditing.drawing import distribution
from pipelines.auditing.exported_images import ExportedImages
from pipelines.auditing.findings import LISTED, STRIP, Audit, Check, Gallery, Strip, Table, highest, lowest, number
from pipelines.auditing.image_scan import ImageScan
from pipelines.auditing.material import Drawn, Material
from pipelines.reporting.distributions import in_words
from pipelines.reporting.similarities import spread
from synth.audits.diversity import class_spread, intra_class_similarity
from synth.audits.pose import estimate_pose

_ANGLES: Final = ("yaw", "pitch", "roll")
_SHOWN_CLASSES: Final = 3


def audit_diversity(material: Material, scan: ImageScan, images: ExportedImages) -> Audit:
    """Measures how far the samples of each class spread."""
    drawn = material.drawn
    similarities = intra_class_similarity(drawn.embeddings, drawn.labels)
    quantities = _quantities(drawn, scan)
    spreads = {name: class_spread(values, drawn.labels) for name, values in quantities.items()}
    names = np.unique(drawn.labels)
    chart = distribution("mean similarity within a class", similarities, of="classes", unit="cosine similarity")
    others = [
        distribution(f"spread of {in_words(name)} within a class", spreads[name], of="classes", unit=_unit(name))
        for name in (*(angle for angle in quantities if "yaw" in angle or "pitch" in angle), "luminance")
    ]
    finite = similarities[np.isfinite(similarities)]
    return Audit(
        name="diversity",
        title="Diversity",
        hint="The mean cosine of the pairs of a class, and the standard deviation of what was measured of its samples. "
        "Low similarity with low consistency is another person, not diversity.",
        checks=[
            Check(
                name="spread within classes",
                status="none",
                says=f"mean cosine of two samples of a class {number(_mean(finite))}; no threshold is known",
            )
        ],
        numbers={
            "mean_similarity": _mean(finite),
            "spread": {
                name: {"mean": _mean(values[np.isfinite(values)]), "quantiles": _quantiles(values)}
                for name, values in spreads.items()
            },
            "most_alike": [
                {"label": names[at], "similarity": similarities[at]} for at in highest(similarities, LISTED)
            ],
        },
        tables=[_table(quantities, spreads)],
        charts=[one for one in (chart, *others) if one],
        galleries=[
            _gallery("Classes that vary least", highest(similarities, _SHOWN_CLASSES), material, similarities, images),
            _gallery("Classes that vary most", lowest(similarities, _SHOWN_CLASSES), material, similarities, images),
        ],
        notes=[
            "Distances of image features that need networks of their own are left out: LPIPS, DCFace's D_intra "
            "(improved recall), FID.",
            *_pose_note(drawn),
        ],
    )


def _quantities(drawn: Drawn, scan: ImageScan) -> dict[str, npt.NDArray[Any]]:
    """Returns what was measured of each drawn sample, (M,) by name; NaN where it was not."""
    luminance = np.full(len(drawn.rows), np.nan)
    luminance[scan.seen] = scan.luminance
    if all(angle in drawn.truth for angle in _ANGLES):
        pose = {angle: drawn.truth[angle].astype(np.float64) for angle in _ANGLES}
    else:
        estimated = estimate_pose(drawn.landmarks)
        pose = {f"{angle}_estimated": estimated[:, at] for at, angle in enumerate(_ANGLES)}
    return pose | {"luminance": luminance} | dict(drawn.measured)


def _pose_note(drawn: Drawn) -> list[str]:
    if all(angle in drawn.truth for angle in _ANGLES):
        return ["Yaw, pitch and roll are what the generator knows."]
    return ["Yaw, pitch and roll are estimated from five landmarks: yaw is good, pitch is rough."]


def _unit(name: str) -> str:
    return "grey levels" if name == "luminance" else "degrees"


def _table(quantities: Mapping[str, npt.NDArray[Any]], spreads: Mapping[str, npt.NDArray[np.float64]]) -> Table:
    rows = []
    for name, values in quantities.items():
        finite, within = values[np.isfinite(values)], spreads[name]
        rows.append(
            [
                in_words(name),
                number(_mean(finite)),
                number(float(finite.std()) if len(finite) else np.nan),
                number(_mean(within[np.isfinite(within)])),
                *(number(value) for value in _quantiles(within).values()),
            ]
        )
    head = ["Quantity", "Mean", "Spread of all", "Within a class", "5 % of classes", "50 %", "95 %"]
    return Table(title="Spread: standard deviations", head=head, rows=rows)


def _quantiles(values: npt.NDArray[np.float64]) -> dict[str, float]:
    finite = values[np.isfinite(values)]
    return {f"{100 * q:g} %": float(np.quantile(finite, q)) if len(finite) else np.nan for q in (0.05, 0.5, 0.95)}


def _mean(values: npt.NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else np.nan


def _gallery(
    title: str,
    chosen: npt.NDArray[np.int64],
    material: Material,
    similarities: npt.NDArray[np.float64],
    images: ExportedImages,
) -> Gallery:
    names, drawn = np.unique(material.drawn.labels), material.drawn
    strips = []
    for at in chosen.tolist():
        members = drawn.rows[drawn.labels == names[at]]
        pictures = images.pictures(members[spread(len(members), STRIP)].tolist())
        strips.append(
            Strip(title=f"Label {names[at]}", subtitle=f"mean cosine {similarities[at]:.3f}", groups=[pictures])
        )
    return Gallery(title=title, hint="By the mean cosine of their pairs.", strips=strips)
