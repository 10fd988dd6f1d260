"""Compares samples with a gallery of real people: what is nearest, and what that is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.auditing.settings import SEED, GallerySection
from synth.audits.leakage import (
    RATES,
    drawn_rows,
    expected_by_chance,
    impostors_of,
    more_than_chance,
    nearest_in_gallery,
)
from synth.digests import sha256_of
from synth.errors import VectorsError
from synth.types import Embeddings, Vectors
from synth.vectors.blocks import vector_blocks
from synth.vectors.files import read_labels
from synth.verification import threshold_at_fmr

_BLOCK = 65_536  # vectors read at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A similarity at which samples are counted.

    Attributes:
        value: cosine.
        fmr: false match rate of the gallery's own impostor pairs there; None: the user gave the value.
        count: samples at least as similar to somebody of the gallery.
        expected: how many that would be by chance; None where there is no rate.
        accepted: impostor pairs of the gallery at or above the value, which the rate rests on; 0 where there is none.
    """

    value: float
    fmr: float | None
    count: int
    expected: float | None
    accepted: int

    @property
    def is_exceeded(self) -> bool:
        """Whether there are more samples than chance gives, or any at all at the user's own value."""
        if self.expected is None:
            return self.count > 0
        return more_than_chance(self.count, self.expected, self.accepted)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reading:
    """The nearest person of a gallery for each sample, in the eyes of one recogniser.

    Attributes:
        recogniser: its type.
        gallery: what was compared with.
        size: vectors in the gallery.
        sha256: of the gallery's file.
        similarities: float32 (M,), largest cosine; NaN where the recogniser saw no face.
        rows: int64 (M,), of the gallery.
        thresholds: the user's, then the calibrated ones, each in rising order.
        refused: why rates have no threshold.
    """

    recogniser: str
    gallery: GallerySection
    size: int
    sha256: str
    similarities: npt.NDArray[np.float32]
    rows: npt.NDArray[np.int64]
    thresholds: Sequence[Threshold]
    refused: Sequence[str]

    @property
    def seen(self) -> npt.NDArray[np.float32]:
        """The similarities of the samples in which the recogniser saw a face, float32."""
        return self.similarities[np.isfinite(self.similarities)]

    @property
    def decisive(self) -> Threshold | None:
        """The highest threshold of the user, or else the strictest calibrated one; None where there is none."""
        own = [threshold for threshold in self.thresholds if threshold.fmr is None]
        return max(own or self.thresholds, key=lambda threshold: threshold.value, default=None)


def read_gallery_for(embeddings: Embeddings, recogniser: str, gallery: GallerySection) -> Reading:
    """Searches a gallery for each sample.

    Args:
        embeddings: float32 (M, E), of the gallery's space; rows of zeros where no face was seen.
        recogniser: type of what made them.
        gallery: read some vectors at a time; none of them is kept.

    Raises:
        VectorsError: the file cannot be read, or does not fit the embeddings or its labels.
    """
    try:
        similarities, rows, size = nearest_in_gallery(embeddings, vector_blocks(gallery.path, gallery.key, _BLOCK))
    except ValueError as error:
        raise VectorsError(f"{gallery.path}: {error}; is it of space '{gallery.space}'?") from error
    similarities[~embeddings.any(axis=1)] = np.nan
    thresholds = [_counted(value, similarities, size) for value in sorted(gallery.thresholds)]
    refused: list[str] = []
    if gallery.labels is not None:
        impostors = _impostors(gallery, gallery.labels, size)
        for fmr in RATES:
            try:
                value = threshold_at_fmr(impostors, fmr)
            except ValueError as error:
                refused.append(str(error))
                continue
            accepted = int(np.count_nonzero(impostors >= value))
            thresholds.append(_counted(value, similarities, size, fmr, accepted))
    return Reading(
        recogniser=recogniser,
        gallery=gallery,
        size=size,
        sha256=sha256_of(gallery.path),
        similarities=similarities,
        rows=rows,
        thresholds=thresholds,
        refused=refused,
    )


def _counted(
    value: float, similarities: npt.NDArray[np.float32], size: int, fmr: float | None = None, accepted: int = 0
) -> Threshold:
    count = int(np.sum(similarities >= value))
    seen = int(np.isfinite(similarities).sum())
    expected = None if fmr is None else expected_by_chance(seen, size, fmr)
    return Threshold(value=value, fmr=fmr, count=count, expected=expected, accepted=accepted)


def _impostors(gallery: GallerySection, key: str, size: int) -> npt.NDArray[np.float32]:
    """Returns the cosines of pairs of two people among some drawn vectors of the gallery."""
    labels = read_labels(gallery.path, key)
    if len(labels) != size:
        raise VectorsError(f"{gallery.path}: '{key}' has {len(labels)} labels for {size} vectors; each needs one")
    wanted = drawn_rows(size, SEED)
    parts: list[Vectors] = []
    first = 0
    for block in vector_blocks(gallery.path, gallery.key, _BLOCK):
        here = wanted[(wanted >= first) & (wanted < first + len(block))] - first
        parts.append(block[here])
        first += len(block)
    return impostors_of(np.concatenate(parts), labels[wanted])
