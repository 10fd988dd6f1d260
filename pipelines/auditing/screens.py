"""The poison screens of a dataset, run once: for the checks, the numbers and the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.auditing.comparison import Comparison
from pipelines.auditing.image_scan import ClassPatch, ImageScan
from pipelines.auditing.material import Material
from synth.audits.poison.frequencies import modified_z_scores
from synth.audits.poison.labels import label_disagreements
from synth.audits.poison.patches import LEAST_CLASSES, Window, common_bound, strongest_window
from synth.audits.poison.spectrum import spectral_signatures

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Screens:
    """What the screens found among the drawn samples.

    Attributes:
        own: float32 (M,), cosine with the centre of the others of the own class; NaN in a class of one.
        others: float32 (M,), cosine with the nearest centre of another class.
        other_labels: int64 (M,), label of that class.
        nearer: bool (M,), whether that is nearer than the own class.
        misplaced: bool (M,), whether a recogniser would take the sample out of its class and put it into the other;
            None where it has no threshold.
        patches: of the drawn classes with enough images.
        common: the strongest window of all images.
        common_bound: the ratio above which that is no chance; None where the images are of too few classes.
        z_scores: float64 (M,), of high frequencies; NaN where an image was not decoded.
        signatures: float64 (M,), spectral signature.
        main_shares: float64 (C,), share of the variance of each drawn class in its main direction.
    """

    own: npt.NDArray[np.float32]
    others: npt.NDArray[np.float32]
    other_labels: npt.NDArray[np.int64]
    nearer: npt.NDArray[np.bool_]
    misplaced: npt.NDArray[np.bool_] | None
    patches: Sequence[ClassPatch]
    common: Window
    common_bound: float | None
    z_scores: Float64
    signatures: Float64
    main_shares: Float64

    @property
    def margins(self) -> Float64:
        """By how much each sample is nearer to another class, float64 (M,); NaN where it is not."""
        return np.where(self.nearer, self.others.astype(np.float64) - self.own, np.nan)

    @property
    def patch_ratios(self) -> Float64:
        """The ratio of each of `patches` as a share of its bound, float64: above 1 it is no chance."""
        return np.array([patch.window.ratio / patch.bound for patch in self.patches], dtype=np.float64)


def run_screens(material: Material, comparison: Comparison, scan: ImageScan) -> Screens:
    """Runs the screens that need more than the scan of the images."""
    drawn = material.drawn
    found = label_disagreements(
        drawn.embeddings, drawn.labels, comparison.left_out, material.centres, material.centre_labels
    )
    misplaced = None
    if comparison.threshold is not None:
        misplaced = found.misplaced(comparison.left_out, comparison.threshold)
    z_scores = np.full(len(drawn.rows), np.nan)
    if len(scan.seen):
        z_scores[scan.seen] = modified_z_scores(scan.high_frequencies)
    num_seen_classes = len(np.unique(drawn.labels[scan.seen]))
    signatures, main_shares = spectral_signatures(drawn.embeddings, drawn.labels)
    return Screens(
        own=comparison.left_out,
        others=found.others,
        other_labels=found.other_labels,
        nearer=found.nearer,
        misplaced=misplaced,
        patches=scan.patches,
        common=strongest_window(scan.common.mean, scan.common.variance),
        common_bound=common_bound(num_seen_classes) if num_seen_classes >= LEAST_CLASSES else None,
        z_scores=z_scores,
        signatures=signatures,
        main_shares=main_shares,
    )
