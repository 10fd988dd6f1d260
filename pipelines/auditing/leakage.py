"""Audit: are the faces those of known people?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pipelines.auditing.drawing import distribution
from pipelines.auditing.exported_images import ExportedImages, decoded
from pipelines.auditing.findings import (
    LISTED,
    OWN_RULE,
    STRIP,
    Audit,
    Chart,
    Check,
    Gallery,
    Status,
    Strip,
    Table,
    counted,
    highest,
    number,
    rate,
)
from pipelines.auditing.galleries import Reading, Threshold, read_gallery_for
from pipelines.auditing.material import Material
from pipelines.auditing.settings import AuditSettings, space_of
from pipelines.reporting.charts import Mark
from synth import components
from synth.components import ComponentSpec
from synth.recognisers.base import Recogniser
from synth.types import ALIGNED_SIZE, Embeddings

_SHOWN: Final = 12
_CHUNK: Final = 64  # faces embedded at once
_PAPER: Final = "Otroshi Shahreza and Marcel (2024)"
_NOTES: Final = (
    "The nearest person is looked for among those of the gallery alone: who is not in it cannot be found.",
    "Counts expected by chance take comparisons for independent: an order of magnitude. Look at the first pairs "
    "yourself, with the photographs; the page names rows of the gallery and holds none of its vectors.",
)


def audit_leakage(material: Material, settings: AuditSettings, images: ExportedImages, faces: ExportedImages) -> Audit:
    """Compares each drawn sample with all people of the galleries.

    Args:
        material: of the run.
        settings: galleries and the second recogniser.
        images: as they are exported, for the page.
        faces: the aligned faces, for the second recogniser.
    """
    readings = _readings(material, settings, faces)
    return Audit(
        name="leakage",
        title="Leakage",
        hint="The most similar embedding of a gallery of real people for each sample, among all of them. "
        f"{_PAPER} find leaked faces at the top of this ranking. What one of two recognisers sees alone may be its "
        "artefact.",
        checks=_checks(readings),
        numbers={"readings": [_numbers(material, reading) for reading in readings], **_agreement(material, readings)},
        tables=[_table(reading) for reading in readings],
        charts=[chart for chart in map(_chart, readings) if chart],
        galleries=[_gallery(material, reading, images) for reading in readings],
        notes=_NOTES if readings else (),
    )


def _readings(material: Material, settings: AuditSettings, faces: ExportedImages) -> list[Reading]:
    """Searches each gallery with the embeddings of the recogniser of its space."""
    own, second = material.config.recogniser_spec, settings.recogniser
    found = []
    for gallery in settings.galleries:
        if gallery.space == space_of(own):
            found.append(read_gallery_for(material.drawn.embeddings, own.type, gallery))
        elif second is not None:
            embeddings = _embedded(second, settings.device, material.drawn.rows, faces)
            found.append(read_gallery_for(embeddings, second.type, gallery))
    return found


def _embedded(spec: ComponentSpec, device: str, rows: npt.NDArray[np.int64], faces: ExportedImages) -> Embeddings:
    """Embeds the aligned faces of kept samples by another recogniser, float32 (M, E); zeros where it sees no face."""
    recogniser: Recogniser = components.build(spec, device)
    embeddings = np.zeros((len(rows), recogniser.embedding_size), dtype=np.float32)
    for start in range(0, len(rows), _CHUNK):
        crops = [decoded(data, (ALIGNED_SIZE, ALIGNED_SIZE, 3)) for data in faces.read(rows[start : start + _CHUNK])]
        whole = [at for at, crop in enumerate(crops) if crop is not None]
        if whole:
            seen = recogniser.embed(np.stack([crop for crop in crops if crop is not None]))
            embeddings[start + np.array(whole)] = seen
    return embeddings


def _checks(readings: Sequence[Reading]) -> list[Check]:
    if not readings:
        says = "no --gallery was given: nothing is known about likeness to real people"
        return [Check(name="nearest real people", status="skipped", says=says)]
    decided = [reading for reading in readings if reading.decisive is not None]
    alone = len(decided) < 2
    checks = [_check_of(reading, fails=alone) for reading in readings]
    return checks if alone else [*checks, _check_of_both(decided)]


def _check_of(reading: Reading, *, fails: bool) -> Check:
    """Returns what one recogniser says; whether that fails or only warns."""
    largest = float(reading.seen.max(initial=-1))
    name = f"nearest people of {reading.gallery.path.name}, by {reading.recogniser}"
    says = f"the most similar of {counted(reading.size, 'vector')} has {number(largest)}"
    decisive = reading.decisive
    if decisive is None:
        missing = "; ".join(reading.refused) or "neither labels nor thresholds were given with the gallery"
        return Check(name=name, status="none", says=f"{says}; no threshold: {missing}")
    lower = any(one.fmr is None and one.is_exceeded for one in reading.thresholds)
    grave: Status = "fail" if fails else "warn"
    return Check(
        name=name,
        status=grave if decisive.is_exceeded else "warn" if lower else "ok",
        says=f"{says}; {_counts(decisive)}",
        source=_rule(decisive, fails=fails),
    )


def _check_of_both(readings: Sequence[Reading]) -> Check:
    """Returns how many samples all recognisers take for somebody of their galleries."""
    by_all, by_some = _seen_by(readings)
    exceeded = [reading.decisive is not None and reading.decisive.is_exceeded for reading in readings]
    return Check(
        name="seen by both recognisers",
        status="fail" if by_all.any() and all(exceeded) else "warn" if any(exceeded) else "ok",
        says=f"{counted(int(by_all.sum()), 'sample')} seen by both, {int(by_some.sum()):,} by one alone, which may be "
        "its artefact",
        source=f"fails where both exceed their thresholds, on the same sample: {OWN_RULE}, after {_PAPER}",
    )


def _seen_by(readings: Sequence[Reading]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Returns which samples reach the decisive threshold of all readings, and which that of some only, bool (M,)."""
    reached = np.array([one.similarities >= (one.decisive.value if one.decisive else np.inf) for one in readings])
    how_many = np.count_nonzero(reached, axis=0)
    return how_many == len(readings), (how_many > 0) & (how_many < len(readings))


def _agreement(material: Material, readings: Sequence[Reading]) -> dict[str, list[str]]:
    """Returns the samples that all recognisers, or some alone, take for somebody; nothing for a single one."""
    if len(readings) < 2:
        return {}
    names = ("seen_by_both", "seen_by_one")
    return {
        name: [material.kept.key(int(row)) for row in material.drawn.rows[seen][:LISTED]]
        for name, seen in zip(names, _seen_by(readings), strict=True)
    }


def _counts(threshold: Threshold) -> str:
    says = f"{counted(threshold.count, 'sample')} at {threshold.value:.3f} or more"
    return says if threshold.expected is None else f"{says}, {threshold.expected:.3g} expected by chance"


def _rule(threshold: Threshold, *, fails: bool) -> str:
    verb = "fails" if fails else "warns"
    if threshold.fmr is None:
        return f"{verb} from the first sample at the highest given threshold, warns at a lower one"
    return (
        f"{verb} where more samples than chance gives, by three standard deviations, reach the similarity of an FMR of "
        f"{rate(threshold.fmr)} among the gallery's own impostors; the deviation counts that the rate rests on "
        f"{counted(threshold.accepted, 'accepted pair')} of them: {OWN_RULE}"
    )


def _table(reading: Reading) -> Table:
    finite = reading.seen
    rows = [["largest", number(float(finite.max(initial=-1))), "", ""]]
    if len(finite):
        rows.append(["99.9 % of the samples have at most", number(float(np.quantile(finite, 0.999))), "", ""])
    for one in reading.thresholds:
        name = "given threshold" if one.fmr is None else f"FMR {rate(one.fmr)} of the gallery"
        expected = "" if one.expected is None else f"{one.expected:.3g}"
        rows.append([name, number(one.value), f"{one.count:,}", expected])
    unseen = len(reading.similarities) - len(finite)
    if unseen:
        rows.append(["samples in which the recogniser saw no face", "", f"{unseen:,}", ""])
    title = f"{reading.recogniser} against {reading.gallery.path.name}"
    return Table(title=title, head=["", "Similarity", "Samples", "Expected by chance"], rows=rows)


def _chart(reading: Reading) -> Chart | None:
    marks = [] if reading.decisive is None else [Mark(value=reading.decisive.value, name="threshold")]
    title = f"similarity to the nearest vector of {reading.gallery.path.name}"
    return distribution(title, reading.similarities, of="samples", unit="cosine similarity", marks=marks)


def _gallery(material: Material, reading: Reading, images: ExportedImages) -> Gallery:
    top = highest(reading.similarities, _SHOWN)
    notes = [f"{reading.similarities[at]:.2f}, row {reading.rows[at]}" for at in top]
    pictures = images.pictures(material.drawn.rows[top].tolist(), notes)
    parts = [pictures[start : start + STRIP] for start in range(0, len(pictures), STRIP)]
    return Gallery(
        title=f"Most similar to somebody of {reading.gallery.path.name}, by {reading.recogniser}",
        hint="Below each its similarity and the row of the gallery.",
        strips=[Strip(title="", subtitle="", groups=[part]) for part in parts],
    )


def _numbers(material: Material, reading: Reading) -> dict[str, Any]:
    finite = reading.seen
    return {
        "recogniser": reading.recogniser,
        "space": reading.gallery.space,
        "gallery": reading.gallery.path.name,
        "gallery_sha256": reading.sha256,
        "gallery_size": reading.size,
        "num_samples": len(finite),
        "largest": float(finite.max()) if len(finite) else None,
        "quantile_0.999": float(np.quantile(finite, 0.999)) if len(finite) else None,
        "thresholds": [
            {
                "similarity": one.value,
                "fmr": one.fmr,
                "accepted_impostors": one.accepted,
                "count": one.count,
                "expected_by_chance": one.expected,
            }
            for one in reading.thresholds
        ],
        "refused_rates": list(reading.refused),
        "nearest": [
            {
                "sample": material.kept.key(int(material.drawn.rows[at])),
                "similarity": reading.similarities[at],
                "gallery_row": reading.rows[at],
            }
            for at in highest(reading.similarities, LISTED)
        ],
    }
