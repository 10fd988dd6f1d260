"""Samples that are nearer to another class than to their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from synth.audits.classes import Labels
from synth.similarity import Float32, unit

_BLOCK: Final = 2048


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Disagreements:
    """How near each sample is to the nearest centre of another class.

    Attributes:
        others: float32 (N,), cosine with that centre; -inf where there is no other class.
        other_labels: int64 (N,), the label of that class.
        nearer: bool (N,), whether that is more than the cosine with the others of its own class.
    """

    others: Float32
    other_labels: npt.NDArray[np.int64]
    nearer: npt.NDArray[np.bool_]

    def misplaced(self, own: Float32, threshold: float) -> npt.NDArray[np.bool_]:
        """Returns which samples a recogniser would take out of their class and put into another, bool (N,).

        That is where it rejects them in their own class, and where their similarity to the other one is nearer to what
        samples usually have to their own (the median) than to the threshold: among thousands of classes some centre
        passes the threshold by chance.

        Args:
            own: float32 (N,), cosine with the centre of the others of the own class; NaN in a class of one.
            threshold: cosine from which it says 'same'.
        """
        judged = own[np.isfinite(own)]
        if len(judged) == 0:
            return np.zeros(len(own), dtype=np.bool_)
        at_home = (threshold + max(threshold, float(np.median(judged)))) / 2
        return self.nearer & (own < threshold) & (self.others >= at_home)


def label_disagreements(
    embeddings: npt.NDArray[np.floating[Any]],
    labels: Labels,
    own: Float32,
    centres: npt.NDArray[np.floating[Any]],
    centre_labels: Labels,
) -> Disagreements:
    """Compares each sample with the centres of all other classes.

    Args:
        embeddings: float (N, E).
        labels: integer (N,).
        own: float32 (N,), cosine of each sample with the centre of the others of its class; NaN in a class of one,
            which agrees with its label.
        centres: float (C, E), of classes that need not be those of the samples.
        centre_labels: integer (C,).
    """
    directions, targets = unit(embeddings), unit(centres)
    others = np.full(len(labels), -np.inf, dtype=np.float32)
    other_labels = np.full(len(labels), -1, dtype=np.int64)
    for start in range(0, len(labels), _BLOCK):
        rows = slice(start, start + _BLOCK)
        for first in range(0, len(targets), _BLOCK):
            columns = slice(first, first + _BLOCK)
            cosines = directions[rows] @ targets[columns].T
            cosines[labels[rows, None] == centre_labels[None, columns]] = -np.inf
            at = cosines.argmax(axis=1)
            largest = cosines[np.arange(len(at)), at]
            better = largest > others[rows]
            others[rows] = np.where(better, largest, others[rows])
            other_labels[rows] = np.where(better, centre_labels[columns][at], other_labels[rows])
    return Disagreements(others=others, other_labels=other_labels, nearer=others > own)
