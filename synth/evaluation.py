"""Judges embeddings on published sets of pairs: accuracy over folds, error rates, and how sure they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from synth.errors import SynthError
from synth.images import decode_image
from synth.types import ALIGNED_SIZE, Embeddings, Images
from synth.verification import (
    FoldAccuracy,
    Scores,
    bootstrap_interval,
    equal_error_rate,
    error_rates,
    fold_accuracy,
    fold_numbers,
    tar_at_far,
)
from synth.verification_sets import VerificationSet

FARS: Final = (1e-1, 1e-2, 1e-3, 1e-4)
MAX_UNREADABLE: Final = 0.01  # share of a set's pairs; beyond it the rest is another set

_BALANCE: Final = 0.02  # by which the share of genuine pairs of a balanced fold may miss a half
_SHOWN: Final = 5  # undecodable images that a message names


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedPairs:
    """The pairs of a set whose images can be decoded.

    Attributes:
        images: uint8 RGB (2 P, 112, 112, 3); 2 i and 2 i + 1 are pair i.
        same: bool (P,).
        folds: int64 (P,), the fold of each pair in the whole set.
        unreadable: what is wrong with the images of the pairs left out, a line each.
        rows: int64 (P,), places of the pairs in the whole set.
    """

    images: Images
    same: npt.NDArray[np.bool_]
    folds: npt.NDArray[np.int64]
    unreadable: tuple[str, ...]
    rows: npt.NDArray[np.int64]


def decode_pairs(pairs: VerificationSet, name: str, folds: int = 10) -> DecodedPairs:
    """Decodes the images of a set; pairs with an image that is damaged or no 112x112 face are left out and named.

    Raises:
        SynthError: more than 1 % of the pairs would be left out, or fewer pairs than folds are there.
    """
    if len(pairs.same) < folds:
        raise SynthError(f"{name}: {len(pairs.same)} pairs cannot make {folds} folds")
    images = np.zeros((len(pairs.images), ALIGNED_SIZE, ALIGNED_SIZE, 3), dtype=np.uint8)
    unreadable = {}
    for number, data in enumerate(pairs.images):
        try:
            image = decode_image(data)
            if image.shape != images.shape[1:]:
                raise ValueError(f"{image.shape[1]}x{image.shape[0]} px, expected faces aligned to 112x112")
            images[number] = image
        except ValueError as error:
            unreadable[number] = f"image {number} (pair {number // 2}): {error}"
    left_out = {number // 2 for number in unreadable}
    if len(left_out) > MAX_UNREADABLE * len(pairs.same):
        shown = "; ".join(list(unreadable.values())[:_SHOWN])
        raise SynthError(
            f"{name}: {len(left_out)} of {len(pairs.same)} pairs cannot be decoded, more than {MAX_UNREADABLE:.0%}: "
            f"{shown}; get the file again"
        )
    rows = np.array([row for row in range(len(pairs.same)) if row not in left_out], dtype=np.int64)
    return DecodedPairs(
        images=images[np.stack([2 * rows, 2 * rows + 1], axis=1).ravel()],
        same=pairs.same[rows],
        folds=fold_numbers(len(pairs.same), folds)[rows],
        unreadable=tuple(unreadable.values()),
        rows=rows,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What embeddings are worth on one set.

    Attributes:
        num_genuine: pairs of one person.
        num_impostor: pairs of two.
        accuracy: over the folds.
        equal_error_rate: 0..1.
        tars: for each of `FARS` the true accept rate, or None where the impostors are too few to tell.
        separation: d', the distance of the two means in standard deviations, of genuine and impostor similarities.
        accuracy_interval: 95 % of the accuracy at the folds' mean threshold, over identities; None if the set does not
            say who is in it.
        error_interval: the same of the equal error rate.
        balanced: whether every fold has about as many genuine as impostor pairs, which the protocol takes for granted.
        curve: FMR and FNMR at every threshold, float64 (T,) each.
    """

    num_genuine: int
    num_impostor: int
    accuracy: FoldAccuracy
    equal_error_rate: float
    tars: dict[float, float | None]
    separation: float
    accuracy_interval: tuple[float, float] | None
    error_interval: tuple[float, float] | None
    balanced: bool
    curve: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]


def evaluate(
    embed: Callable[[Images], Embeddings], pairs: DecodedPairs, identities: npt.NDArray[np.int64] | None = None
) -> Evaluation:
    """Evaluates an embedder on a set, by the protocol of LFW (Huang et al. 2007, View 2), thresholds exact.

    Args:
        embed: from aligned faces, uint8 RGB (F, 112, 112, 3), to float32 (F, E) of unit length.
        pairs: decoded.
        identities: int64 (2 P,), who is in each image; None where it is not known.

    Raises:
        SynthError: the set has only genuine or only impostor pairs.
    """
    if pairs.same.all() or not pairs.same.any():
        raise SynthError(
            f"the set has {np.count_nonzero(pairs.same)} genuine of {len(pairs.same)} pairs; both are needed"
        )
    embeddings = embed(pairs.images).astype(np.float64)
    scores = np.einsum("pe,pe->p", embeddings[0::2], embeddings[1::2])
    genuine, impostor = scores[pairs.same], scores[~pairs.same]
    accuracy = fold_accuracy(scores, pairs.same, pairs.folds)
    intervals = _intervals(pairs, scores, identities, float(accuracy.thresholds.mean()))
    _, fmr, fnmr = error_rates(genuine, impostor)
    spread = np.sqrt((genuine.var() + impostor.var()) / 2)
    halves = np.array([np.mean(pairs.same[pairs.folds == fold]) for fold in np.unique(pairs.folds)])
    return Evaluation(
        num_genuine=len(genuine),
        num_impostor=len(impostor),
        accuracy=accuracy,
        equal_error_rate=equal_error_rate(genuine, impostor),
        tars={far: _tar(genuine, impostor, far) for far in FARS},
        separation=float((genuine.mean() - impostor.mean()) / spread) if spread else 0.0,
        accuracy_interval=intervals[0],
        error_interval=intervals[1],
        balanced=bool(np.all(np.abs(halves - 0.5) < _BALANCE)),
        curve=(fmr, fnmr),
    )


def _tar(genuine: npt.NDArray[np.float64], impostor: npt.NDArray[np.float64], far: float) -> float | None:
    try:
        return tar_at_far(genuine, impostor, far)
    except ValueError:  # too few impostors
        return None


def _intervals(
    pairs: DecodedPairs,
    scores: npt.NDArray[np.float64],
    identities: npt.NDArray[np.int64] | None,
    threshold: float,
) -> Sequence[tuple[float, float] | None]:
    """Returns the intervals of accuracy and equal error rate over identities."""
    if identities is None:
        return None, None

    def accuracy(genuine: Scores, impostor: Scores) -> float:
        right = np.count_nonzero(genuine >= threshold) + np.count_nonzero(impostor < threshold)
        return float(right / (len(genuine) + len(impostor)))

    places = np.arange(2 * len(scores)).reshape(-1, 2)
    genuine, impostor = ((places[chosen], scores[chosen]) for chosen in (pairs.same, ~pairs.same))
    statistics = (accuracy, equal_error_rate)
    return [bootstrap_interval(identities, genuine, impostor, statistic) for statistic in statistics]
