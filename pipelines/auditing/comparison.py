"""Similarities that several audits need, computed once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from pipelines.auditing.findings import rate
from pipelines.auditing.material import Drawn
from synth.audits.classes import classes
from synth.audits.consistency import centre_similarities
from synth.verification import Pairs, genuine_pairs, impostor_pairs, pair_scores, threshold_at_fmr

FMR: Final = 1e-3  # of the recogniser's threshold; DCFace has 1e-4, see SOURCE of synth.audits.consistency
MOST_IMPOSTORS: Final = 1_000_000  # pairs
MOST_OF_A_CLASS: Final = 16  # samples that genuine pairs are made of


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """How alike drawn samples are to each other and to the centres of their classes.

    Attributes:
        with_itself: float32 (M,), cosine with the centre of all samples of the class.
        left_out: float32 (M,), cosine with the centre of the others; NaN in a class of one.
        genuine_pairs: int64 (G, 2), pairs of the first samples of each class.
        genuine: float64 (G,), their cosines.
        impostor_pairs: int64 (P, 2), drawn pairs of samples of two classes.
        impostors: float64 (P,), their cosines.
        threshold: cosine of the recogniser at the false match rate FMR of these pairs; None where they are too few.
        calibration: in words, how the threshold was found or why there is none.
    """

    with_itself: npt.NDArray[np.float32]
    left_out: npt.NDArray[np.float32]
    genuine_pairs: Pairs
    genuine: npt.NDArray[np.float64]
    impostor_pairs: Pairs
    impostors: npt.NDArray[np.float64]
    threshold: float | None
    calibration: str


def compare(drawn: Drawn, seed: int) -> Comparison:
    """Compares drawn samples with their classes and with other samples."""
    with_itself, left_out = centre_similarities(drawn.embeddings, drawn.labels)
    pairs = impostor_pairs(drawn.labels, MOST_IMPOSTORS, seed)
    impostors = pair_scores(drawn.embeddings, pairs)
    first = np.concatenate([members[:MOST_OF_A_CLASS] for members in classes(drawn.labels)])
    genuine = first[genuine_pairs(drawn.labels[first])]
    threshold = None
    try:
        threshold = threshold_at_fmr(impostors, FMR)
        calibration = f"the recogniser's FMR is {rate(FMR)} there, on {len(pairs):,} impostor pairs of the set"
    except ValueError as error:
        calibration = str(error)
    return Comparison(
        with_itself=with_itself,
        left_out=left_out,
        genuine_pairs=genuine,
        genuine=pair_scores(drawn.embeddings, genuine),
        impostor_pairs=pairs,
        impostors=impostors,
        threshold=threshold,
        calibration=calibration,
    )
