"""Audit: how evenly are attributes covered, and are their groups equally easy to tell apart?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.auditing.comparison import Comparison
from pipelines.auditing.findings import Audit, Bars, Check, Table, number
from pipelines.auditing.image_scan import ImageScan
from pipelines.auditing.material import Material
from pipelines.reporting.component_facts import truth_units
from pipelines.reporting.distributions import in_words
from synth.audits.balance import (
    Groups,
    group,
    is_constant_within,
    largest_to_smallest,
    mean_by_group,
    normalised_entropy,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Attribute:
    """One attribute; counts are of identities where it is the same for all samples of each.

    `genuine` and `impostor` hold the mean cosine of the pairs within each group, float64 (groups,).
    """

    unit: str
    per_identity: bool
    groups: Groups
    counts: npt.NDArray[np.int64]
    genuine: npt.NDArray[np.float64]
    impostor: npt.NDArray[np.float64]


def audit_balance(material: Material, comparison: Comparison, scan: ImageScan) -> Audit:
    """Counts the groups of each attribute and compares their similarities."""
    drawn = material.drawn
    luminance = np.full(len(drawn.rows), np.nan)
    luminance[scan.seen] = scan.luminance
    units = truth_units(material.config.generator.type)
    found = {
        name: _attribute(values, units.get(name, ""), drawn.labels, comparison)
        for name, values in {**drawn.truth, "luminance": luminance}.items()
    }
    return Audit(
        name="balance",
        title="Balance",
        hint="How evenly the values of an attribute occur. Entropy is 1 where all groups are equally frequent. G and I "
        "are the mean cosines of genuine and impostor pairs within a group: one with a high I is harder to tell apart.",
        checks=[
            Check(
                name="groups of attributes",
                status="none",
                says=f"{len(found)} attributes; what is balanced depends on what the data are for",
            )
        ],
        numbers={"attributes": {name: _numbers(attribute) for name, attribute in found.items()}},
        tables=[_table(found)],
        bars=[_bars(name, attribute) for name, attribute in found.items()],
        notes=[
            "Attributes are what the generator knows and the luminance of the image; no classifier guessed anything.",
            "Attributes of rendered people are positions of a morphable head, not people's self-description.",
        ],
    )


def _attribute(
    values: npt.NDArray[Any], unit: str, labels: npt.NDArray[np.int64], comparison: Comparison
) -> _Attribute:
    groups, per_identity = group(values), is_constant_within(values, labels)
    one_each = np.unique(labels, return_index=True)[1]
    counted = Groups(names=groups.names, codes=groups.codes[one_each]) if per_identity else groups
    return _Attribute(
        unit=unit,
        per_identity=per_identity,
        groups=groups,
        counts=counted.counts,
        genuine=mean_by_group(groups, comparison.genuine_pairs, comparison.genuine)[0],
        impostor=mean_by_group(groups, comparison.impostor_pairs, comparison.impostors)[0],
    )


def _numbers(attribute: _Attribute) -> dict[str, Any]:
    counts = attribute.counts
    return {
        "counted": "identities" if attribute.per_identity else "samples",
        "entropy": normalised_entropy(counts),
        "largest_to_smallest": largest_to_smallest(counts) if len(counts) else None,
        "groups": [
            {"name": name, "count": count, "genuine_mean": genuine, "impostor_mean": impostor}
            for name, count, genuine, impostor in zip(
                attribute.groups.names, counts, attribute.genuine, attribute.impostor, strict=True
            )
        ],
    }


def _table(found: Mapping[str, _Attribute]) -> Table:
    rows = []
    for name, attribute in found.items():
        counts = attribute.counts
        ratio = largest_to_smallest(counts) if len(counts) else np.nan
        rows.append(
            [
                in_words(name),
                "identities" if attribute.per_identity else "samples",
                f"{len(counts)}",
                number(normalised_entropy(counts)),
                "one is empty" if np.isinf(ratio) else number(ratio, 1),
                _range(attribute.genuine),
                _range(attribute.impostor),
            ]
        )
    head = ["Attribute", "Counted", "Groups", "Entropy", "Largest to smallest", "G of groups", "I of groups"]
    return Table(title="Attributes", head=head, rows=rows)


def _range(values: npt.NDArray[np.float64]) -> str:
    finite = values[np.isfinite(values)]
    return f"{finite.min():.2f} to {finite.max():.2f}" if len(finite) else "–"


def _bars(name: str, attribute: _Attribute) -> Bars:
    total = max(int(attribute.counts.sum()), 1)
    return Bars(
        title=in_words(name),
        subtitle=", ".join(filter(None, ["identities" if attribute.per_identity else "samples", attribute.unit])),
        bars=[
            (group_name, count / total, f"G {number(genuine, 2)} I {number(impostor, 2)}")
            for group_name, count, genuine, impostor in zip(
                attribute.groups.names,
                attribute.counts.tolist(),
                attribute.genuine.tolist(),
                attribute.impostor.tolist(),
                strict=True,
            )
        ],
    )
