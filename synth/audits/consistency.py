"""Whether the samples of a class show one person: how close each is to the centre of its class."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from synth.audits.classes import Labels, classes
from synth.similarity import Float32, centroids, cosine, leave_one_out

DCFACE_THRESHOLD: Final = 0.3  # similarity; Kim et al. (2023), of their recogniser: an FMR of 1e-4 on IJB-B
WARN_BELOW: Final = 0.90
FAIL_BELOW: Final = 0.85
SOURCE: Final = (
    "after DCFace (Kim et al., 2023): recognisers trained on sets of a consistency of 0.90 to 0.98 reached 86 to 89 % "
    "on average, on sets of 0.81 and 0.59 they learned nothing. Those values are at an FMR of 1e-4, with the sample in "
    "the centre of its class; the bounds are put to other values here, at an FMR of 1e-3 and leave-one-out"
)


def centre_similarities(embeddings: npt.NDArray[np.floating[Any]], labels: Labels) -> tuple[Float32, Float32]:
    """Compares each sample with the centre of its class.

    Args:
        embeddings: float (N, E).
        labels: integer (N,).

    Returns:
        float32 (N,), cosine with the centre of all samples of the class, which is higher the fewer there are, as the
        sample is one of them; and float32 (N,), cosine with the centre of the others, NaN in a class of one.
    """
    with_itself = np.empty(len(labels), dtype=np.float32)
    left_out = np.empty(len(labels), dtype=np.float32)
    for rows in classes(labels):
        centre = centroids(embeddings[rows], labels[rows])
        with_itself[rows] = cosine(embeddings[rows], np.broadcast_to(centre, (len(rows), centre.shape[1])))
        left_out[rows] = leave_one_out(embeddings[rows], labels[rows])
    return with_itself, left_out


def shares_above(similarities: Float32, labels: Labels, threshold: float) -> npt.NDArray[np.float64]:
    """Returns the share of each class's samples whose similarity exceeds a threshold.

    Args:
        similarities: float32 (N,); NaN where a sample cannot be judged, which does not count.
        labels: integer (N,).
        threshold: cosine.

    Returns:
        float64 (C,), 0..1, in the order of `np.unique(labels)`; NaN for a class without any judged sample.
    """
    codes = np.unique(labels, return_inverse=True)[1]
    judged = np.isfinite(similarities)
    above = similarities.astype(np.float64) > threshold
    num_judged = np.bincount(codes, judged)
    num_above = np.bincount(codes, above & judged)
    shares: npt.NDArray[np.float64] = np.divide(
        num_above, num_judged, out=np.full(len(num_judged), np.nan), where=num_judged > 0
    )
    return shares


def class_consistency(similarities: Float32, labels: Labels, threshold: float) -> float:
    """Returns C_intra: the mean over classes of the share of samples closer to their class than a threshold, 0..1.

    Kim et al. (2023), DCFace, section 4, "Class Consistency". NaN where no class can be judged.
    """
    shares = shares_above(similarities, labels, threshold)
    return float(shares[np.isfinite(shares)].mean()) if np.isfinite(shares).any() else np.nan
