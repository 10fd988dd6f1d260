"""Audit: is anything in the dataset twice?"""

from __future__ import annotations

from typing import Final

import numpy as np

from pipelines.auditing.comparison import FMR, Comparison
from pipelines.auditing.exported_images import ExportedImages
from pipelines.auditing.findings import LISTED, OWN_RULE, Audit, Check, Gallery, Strip, counted, rate
from pipelines.auditing.image_scan import ImageScan
from pipelines.auditing.material import Kept, Material
from synth.audits.duplicates import (
    ALIKE,
    HASH_BITS,
    MOST_BITS,
    EqualBytes,
    NearEqual,
    alike_within_classes,
    bits_apart,
    equal_bytes,
    similar_hashes,
)
from synth.audits.pairs import ClosestPairs, Pairs
from synth.similarity import Float32

_SHOWN_PAIRS: Final = 9
_CAST: Final = "Zhu et al. (2021), WebFace260M"


def audit_duplicates(material: Material, comparison: Comparison, scan: ImageScan, images: ExportedImages) -> Audit:
    """Looks for the same bytes in all samples, for the same picture and the same embedding in the drawn ones."""
    kept, drawn = material.kept, material.drawn
    equal = equal_bytes(scan.digests, kept.labels)
    bound = _bound(comparison)
    similar, confirmed = similar_hashes(
        scan.hashes, drawn.labels[scan.seen], drawn.embeddings[scan.seen], bound, LISTED
    )
    listed = _first(confirmed, similar)
    pictures = scan.seen[listed.pairs]
    faces = np.einsum("pe,pe->p", drawn.embeddings[pictures[:, 0]], drawn.embeddings[pictures[:, 1]])
    alike = alike_within_classes(drawn.embeddings, drawn.labels, LISTED)
    rows_of_pictures, rows_of_faces = drawn.rows[pictures], drawn.rows[alike.closest.pairs]
    bits = [bits_apart(float(value)) for value in listed.similarities]
    return Audit(
        name="duplicates",
        title="Duplicates",
        hint=f"The same bytes among all samples; pictures of two classes whose difference hashes differ in at most "
        f"{MOST_BITS} of {HASH_BITS} bits; and samples of one class whose embeddings have a cosine above {ALIKE}.",
        checks=[
            *_byte_checks(equal),
            _picture_check(similar.count, confirmed.count, bound, len(scan.seen)),
            _face_check(alike),
        ],
        numbers={
            "equal_bytes_within_classes": equal.copies,
            "equal_bytes_across_classes": [_keys(kept, pair) for pair in equal.across[:LISTED]],
            "similar_pictures_across_classes": similar.count,
            "similar_pictures_of_one_face": None if bound is None else confirmed.count,
            "closest_pictures": [
                {"samples": _keys(kept, pair), "bits": different, "similarity": value}
                for pair, different, value in zip(rows_of_pictures, bits, faces, strict=True)
            ],
            "alike_within_classes": alike.count,
            "closest_within_classes": [
                {"samples": _keys(kept, pair), "similarity": value}
                for pair, value in zip(rows_of_faces, alike.closest.similarities, strict=True)
            ],
        },
        galleries=[
            _gallery("The same bytes under two labels", kept, images, equal.across, [""] * len(equal.across)),
            _gallery(
                "Most similar pictures of two classes",
                kept,
                images,
                rows_of_pictures,
                [f"{one} bits, cosine {two:.2f}" for one, two in zip(bits, faces, strict=True)],
            ),
            _gallery("Most alike within a class", kept, images, rows_of_faces, _cosines(alike.closest.similarities)),
        ],
        notes=[
            "Aligned faces of different people can have nearly the same difference hash by chance: the grid sees light "
            "and outline only. A pair is suspicious where the faces are as alike as those of one class."
        ],
    )


def _byte_checks(equal: EqualBytes) -> list[Check]:
    across, copies = len(equal.across), equal.copies
    return [
        Check(
            name="same bytes under two labels",
            status="fail" if across else "ok",
            says=counted(across, "image"),
            source=f"fails from the first one: {OWN_RULE}, one of the labels is wrong",
        ),
        Check(
            name="same bytes within a class",
            status="warn" if copies else "ok",
            says=counted(copies, "repeated image"),
            source=f"warns from the first one: {OWN_RULE}",
        ),
    ]


def _first(confirmed: NearEqual, similar: NearEqual) -> ClosestPairs:
    """Returns the closest pairs that the recogniser confirms, then the closest others, at most LISTED."""
    pairs = np.concatenate([confirmed.closest.pairs, similar.closest.pairs])
    similarities = np.concatenate([confirmed.closest.similarities, similar.closest.similarities])
    first = np.sort(np.unique(pairs, axis=0, return_index=True)[1])[:LISTED]
    return ClosestPairs(pairs[first], similarities[first])


def _bound(comparison: Comparison) -> float | None:
    """Returns the cosine from which faces of alike pictures are one; None where the recogniser has no threshold.

    Of hundreds of pairs some exceed the recogniser's threshold by chance; a copy is as alike as samples of one class.
    """
    if comparison.threshold is None or len(comparison.genuine) == 0:
        return comparison.threshold
    return max(comparison.threshold, float(np.median(comparison.genuine)))


def _picture_check(similar: int, confirmed: int, bound: float | None, num_images: int) -> Check:
    says = f"{counted(similar, 'pair')} among {counted(num_images, 'drawn image')}"
    if bound is None:
        return Check(name="nearly the same picture in two classes", status="none", says=says)
    if similar:
        says = f"{says}; the recogniser takes {confirmed:,} of them for one face as well"
    return Check(
        name="nearly the same picture in two classes",
        status="warn" if confirmed else "ok",
        says=says,
        source=f"warns from the first one with both, a cosine of {bound:.3f}: {OWN_RULE}, the threshold at FMR "
        f"{rate(FMR)} or, where it is higher, the median within classes",
    )


def _face_check(alike: NearEqual) -> Check:
    return Check(
        name="nearly the same face within a class",
        status="warn" if alike.count else "ok",
        says=f"{counted(alike.count, 'pair')} above {ALIKE}",
        source=f"warns from the first one: {_CAST}, removes them",
    )


def _keys(kept: Kept, pair: Pairs) -> list[str]:
    return [kept.key(int(row)) for row in pair]


def _cosines(values: Float32) -> list[str]:
    return [f"cosine {value:.3f}" for value in values]


def _gallery(title: str, kept: Kept, images: ExportedImages, pairs: Pairs, subtitles: list[str]) -> Gallery:
    strips = [
        Strip(
            title=" and ".join(_keys(kept, pair)),
            subtitle=subtitle,
            groups=[images.pictures([int(row)]) for row in pair],
        )
        for pair, subtitle in zip(pairs[:_SHOWN_PAIRS], subtitles, strict=False)
    ]
    return Gallery(title=title, hint="", strips=strips)
