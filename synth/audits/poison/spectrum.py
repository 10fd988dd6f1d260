"""Spectral signatures: samples that stick out along the main direction of their class."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from synth.audits.classes import Labels, classes
from synth.similarity import unit

Float64 = npt.NDArray[np.float64]


def spectral_signatures(embeddings: npt.NDArray[np.floating[Any]], labels: Labels) -> tuple[Float64, Float64]:
    """Scores samples along the top singular direction of the centred embeddings of their class.

    Tran, Li and Madry (2018), "Spectral Signatures in Backdoor Attacks", algorithm 1: there the squared projection on
    that direction ranks the samples of a class, and the first ones are removed. Here it is divided by its mean over
    the class, so that classes can be compared. A ranking, with no threshold: every class has a first one.

    Args:
        embeddings: float (N, E).
        labels: integer (N,).

    Returns:
        float64 (N,), >= 0, on average 1 in a class, at most its size; and float64 (C,), the share of a class's variance
        in that direction, 0..1, in the order of `np.unique(labels)`. Both 0 where all embeddings of a class are equal.
    """
    scores = np.zeros(len(labels), dtype=np.float64)
    shares = []
    for rows in classes(labels):
        centred = unit(embeddings[rows]).astype(np.float64)
        centred -= centred.mean(axis=0)
        left, lengths, _ = np.linalg.svd(centred, full_matrices=False)
        variance = lengths**2
        if variance.sum() < 1e-9:
            shares.append(0.0)
            continue
        scores[rows] = len(rows) * left[:, 0] ** 2  # squared projections over their mean: the left vector has length 1
        shares.append(float(variance[0] / variance.sum()))
    return scores, np.array(shares, dtype=np.float64)
