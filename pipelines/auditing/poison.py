"""Audit: has anybody put something into the dataset that a model would learn to react to?"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pipelines.auditing.comparison import FMR
from pipelines.auditing.drawing import distribution
from pipelines.auditing.exported_images import ExportedImages
from pipelines.auditing.findings import LISTED, OWN_RULE, Audit, Chart, Check, counted, highest, percent, rate
from pipelines.auditing.image_scan import UNREADABLE, ClassPatch, ImageScan
from pipelines.auditing.material import Material
from pipelines.auditing.poison_pictures import poison_galleries
from pipelines.auditing.screens import Screens
from pipelines.reporting.charts import Mark
from synth.audits.poison.file_bytes import SUSPICIOUS
from synth.audits.poison.frequencies import CUTOFF
from synth.audits.poison.patches import (
    COMMON_RATIO,
    COMMON_SOURCE,
    LEAST_CLASSES,
    LEAST_IMAGES,
    PATCH_RATIO,
    PATCH_SOURCE,
    Window,
)

_ZENG: Final = "Zeng, Park, Mao and Jia (2021)"
_NOTES: Final = (
    "No screen proves that there is no poison: each sees one kind of trace, and an attacker who knows it leaves none. "
    "A patch on few images of a class, or one that moves, is not seen.",
    "Whether anything was changed since the run is what synth verify tells, by the hashes of all files.",
)


def audit_poison(material: Material, scan: ImageScan, screens: Screens, images: ExportedImages) -> Audit:
    """Puts the screens together: bytes of all samples, labels, patches, frequencies and spectra of the drawn ones."""
    return Audit(
        name="poison",
        title="Poison",
        hint="Screens for what an attacker leaves behind: bytes besides the picture, samples that belong to another "
        "class, a patch at one place of all images of a class, unusual high frequencies, and samples that stick out "
        "along the main direction of their class (spectral signatures).",
        checks=[
            *_byte_checks(scan),
            _label_check(screens),
            _class_patch_check(screens, material.drawn.num_classes),
            _common_patch_check(screens),
            _frequency_check(screens.z_scores),
            _spectral_check(screens.main_shares),
        ],
        numbers=_numbers(material, scan, screens),
        charts=_charts(screens),
        galleries=poison_galleries(material, scan, screens, images),
        notes=_NOTES,
    )


def _byte_checks(scan: ImageScan) -> list[Check]:
    amounts = {name: len(rows) for name, rows in scan.unusual.items()}
    suspicious = {name: amount for name, amount in amounts.items() if name in (*SUSPICIOUS, UNREADABLE)}
    metadata = {name: amount for name, amount in amounts.items() if name not in suspicious}
    clean = f"{counted(len(scan.digests), 'image')}: nothing behind or beside the picture"
    return [
        Check(
            name="files are what they say",
            status="fail" if suspicious else "ok",
            says=_listed(suspicious) or clean,
            source=f"fails from the first one: {OWN_RULE}",
        ),
        Check(
            name="metadata",
            status="warn" if metadata else "ok",
            says=_listed(metadata) or "none but the mark that the image is synthetic",
            source=f"warns from the first one: {OWN_RULE}",
        ),
    ]


def _label_check(screens: Screens) -> Check:
    name = "labels agree with the faces"
    says = (
        f"{int(screens.nearer.sum()):,} of {counted(len(screens.nearer), 'drawn sample')} are nearer to another class"
    )
    if screens.misplaced is None:
        return Check(name=name, status="none", says=says)
    misplaced = int(screens.misplaced.sum())
    return Check(
        name=name,
        status="warn" if misplaced else "ok",
        says=f"{says}; {misplaced:,} of them clearly belong there",
        source=f"warns from the first that the recogniser rejects in its own class at FMR {rate(FMR)}, and whose "
        f"similarity to the other one is nearer to that of a usual member than to the threshold: {OWN_RULE}",
    )


def _class_patch_check(screens: Screens, num_classes: int) -> Check:
    name, ratios = "a patch that a class has in common", screens.patch_ratios
    unseen = num_classes - len(ratios)
    small = f"{counted(unseen, 'class', 'classes')} of fewer than {LEAST_IMAGES} readable images not screened"
    if len(ratios) == 0:
        return Check(name=name, status="skipped", says=small)
    first = screens.patches[int(ratios.argmax())]
    found = counted(int(np.sum(ratios > 1)), "class", "classes")
    says = f"{found} of {len(ratios):,}; the most constant place has {first.window.ratio:.2f} of {first.bound:.2f}"
    return Check(
        name=name,
        status="warn" if np.any(ratios > 1) else "ok",
        says=f"{says}; {small}" if unseen else says,
        source=f"warns above a bound that falls with the images of a class towards {PATCH_RATIO:g}: {OWN_RULE}; "
        f"{PATCH_SOURCE}",
    )


def _common_patch_check(screens: Screens) -> Check:
    name, ratio, bound = "a patch that all classes have in common", screens.common.ratio, screens.common_bound
    if bound is None:
        says = f"not screened: fewer than {LEAST_CLASSES} classes have readable images"
        return Check(name=name, status="skipped", says=says)
    return Check(
        name=name,
        status="warn" if ratio > bound else "ok",
        says=f"the most constant place has {ratio:.2f} of {bound:.2f}",
        source=f"warns above a bound that falls with the number of classes towards {COMMON_RATIO:g}: {OWN_RULE}; "
        f"{COMMON_SOURCE}",
    )


def _frequency_check(z_scores: npt.NDArray[np.float64]) -> Check:
    outliers, seen = int(np.sum(z_scores > CUTOFF)), int(np.isfinite(z_scores).sum())
    return Check(
        name="high frequencies",
        status="warn" if outliers else "ok",
        says=f"{counted(outliers, 'outlier')} among {counted(seen, 'drawn image')}",
        source=f"warns above a modified z-score of {CUTOFF}: Iglewicz and Hoaglin (1993); the trace is that of {_ZENG}",
    )


def _spectral_check(shares: npt.NDArray[np.float64]) -> Check:
    return Check(
        name="spectral signatures",
        status="none",
        says=f"a ranking: the main direction of a class holds {percent(float(shares.mean()))} of its variance on "
        f"average, {percent(float(shares.max()))} at most",
        source="Tran, Li and Madry (2018)",
    )


def _listed(amounts: dict[str, int]) -> str:
    return "; ".join(f"{name}: {amount:,}" for name, amount in sorted(amounts.items()))


def _charts(screens: Screens) -> list[Chart]:
    charts = [
        distribution(
            "constant detail of a class",
            screens.patch_ratios,
            of="classes",
            unit="mean square over variance, of its bound",
            marks=[Mark(value=1, name="patch")],
        ),
        distribution(
            "modified z-score of high frequencies",
            screens.z_scores,
            of="images",
            unit="robust standard deviations",
            marks=[Mark(value=CUTOFF, name="cutoff")],
        ),
        distribution(
            "share of a class's variance in its main direction", screens.main_shares, of="classes", unit="share"
        ),
    ]
    return [chart for chart in charts if chart]


def _numbers(material: Material, scan: ImageScan, screens: Screens) -> dict[str, Any]:
    key, rows = material.kept.key, material.drawn.rows
    return {
        "unusual_bytes": {
            name: {"count": len(found), "samples": [key(row) for row in found[:LISTED]]}
            for name, found in sorted(scan.unusual.items())
        },
        "nearer_to_another_class": int(screens.nearer.sum()),
        "misplaced": None if screens.misplaced is None else int(screens.misplaced.sum()),
        "widest_margins": [
            {
                "sample": key(int(rows[at])),
                "label": material.drawn.labels[at],
                "similarity": screens.own[at],
                "other_label": screens.other_labels[at],
                "other_similarity": screens.others[at],
            }
            for at in highest(screens.margins, LISTED)
        ],
        "common_patch": _window_numbers(screens.common) | {"bound": screens.common_bound},
        "class_patches": [_class_patch_numbers(screens.patches[at]) for at in highest(screens.patch_ratios, LISTED)],
        "high_frequencies": [
            {"sample": key(int(rows[at])), "z_score": screens.z_scores[at]} for at in highest(screens.z_scores, LISTED)
        ],
        "spectral_signatures": [
            {"sample": key(int(rows[at])), "score": screens.signatures[at]}
            for at in highest(screens.signatures, LISTED)
        ],
    }


def _class_patch_numbers(patch: ClassPatch) -> dict[str, Any]:
    return {"label": patch.label, "images": patch.num_images, "bound": patch.bound} | _window_numbers(patch.window)


def _window_numbers(window: Window) -> dict[str, Any]:
    return {"ratio": window.ratio, "top": window.top, "left": window.left, "size": window.size}
