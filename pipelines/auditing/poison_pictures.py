"""Pictures of what the poison screens put first."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from pipelines.auditing.exported_images import ExportedImages
from pipelines.auditing.findings import STRIP, Gallery, Strip, counted, highest
from pipelines.auditing.image_scan import ImageScan, detail_statistics
from pipelines.auditing.material import Material
from pipelines.auditing.screens import Screens
from pipelines.reporting.pictures import Picture, as_source
from synth.audits.poison.patches import ratio_map

_SHOWN: Final = 12
_SHOWN_CLASSES: Final = 4


def poison_galleries(material: Material, scan: ImageScan, screens: Screens, images: ExportedImages) -> list[Gallery]:
    """Returns pictures of each screen that has any."""
    return [
        _files(scan, images),
        _labels(material, screens, images),
        _patches(material, scan, screens, images),
        _ranked("Most high frequencies", "z", material, screens.z_scores, images),
        _ranked("Strongest spectral signatures", "score", material, screens.signatures, images),
    ]


def _files(scan: ImageScan, images: ExportedImages) -> Gallery:
    strips = [
        Strip(title=name, subtitle=counted(len(rows), "image"), groups=[images.pictures(rows[:STRIP])])
        for name, rows in sorted(scan.unusual.items())
    ]
    return Gallery(title="Files with more than a picture", hint="The first ones of each kind.", strips=strips)


def _labels(material: Material, screens: Screens, images: ExportedImages) -> Gallery:
    kept, drawn, strips = material.kept, material.drawn, []
    for at in highest(screens.margins, _SHOWN).tolist():
        row, own, other = int(drawn.rows[at]), int(drawn.labels[at]), int(screens.other_labels[at])
        strips.append(
            Strip(
                title=kept.key(row),
                subtitle=f"own label {own}: {screens.own[at]:.2f}, label {other}: {screens.others[at]:.2f}",
                groups=[
                    images.pictures([row]),
                    images.pictures([near for near in kept.rows_of(own, 3) if near != row][:2]),
                    images.pictures(kept.rows_of(other, 2)),
                ],
            )
        )
    return Gallery(
        title="Samples nearer to another class",
        hint="The sample, two of its own class, two of the other one; the widest margin first.",
        strips=strips,
    )


def _patches(material: Material, scan: ImageScan, screens: Screens, images: ExportedImages) -> Gallery:
    strips = []
    for at in highest(screens.patch_ratios, _SHOWN_CLASSES).tolist():
        patch = screens.patches[at]
        label, window = patch.label, patch.window
        rows = material.drawn.rows[material.drawn.labels == label]
        details = detail_statistics(images, rows, (*scan.reference.shape, 3))
        ratios = ratio_map(details.mean - scan.reference, details.variance)
        grey = (255 * np.sqrt(ratios / max(float(ratios.max()), patch.bound))).astype(np.uint8)
        text = f"Map of constant detail of label {label}, brightest where it is most constant"
        map_of_class = Picture(source=as_source(np.repeat(grey[..., None], 3, axis=2)), text=text)
        strips.append(
            Strip(
                title=f"Label {label}",
                subtitle=f"{window.ratio:.2f} of {patch.bound:.2f} at row {window.top}, column {window.left}, "
                f"{window.size} px wide",
                groups=[[map_of_class], images.pictures(rows[: STRIP - 1].tolist())],
            )
        )
    return Gallery(
        title="Classes with the most constant detail",
        hint="A map of where the mean image of the class stands out against its variance, then its first samples.",
        strips=strips,
    )


def _ranked(
    title: str, unit: str, material: Material, scores: npt.NDArray[np.float64], images: ExportedImages
) -> Gallery:
    top = highest(scores, _SHOWN)
    notes = [f"{unit} {score:.1f}" for score in scores[top]]
    pictures = images.pictures(material.drawn.rows[top].tolist(), notes)
    parts = [pictures[start : start + STRIP] for start in range(0, len(pictures), STRIP)]
    return Gallery(
        title=title,
        hint="The first of the ranking; every set has a first one.",
        strips=[Strip(title="", subtitle="", groups=[part]) for part in parts],
    )
