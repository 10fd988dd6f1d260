"""The main cluster of a few embeddings."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from synth.similarity import unit


def main_cluster(
    embeddings: npt.NDArray[np.floating[Any]], min_similarity: float, min_samples: int
) -> npt.NDArray[np.bool_]:
    """Finds the largest cluster of embeddings that lie close together: DBSCAN (Ester et al. 1996).

    Two rows are near where their cosine is at least `min_similarity` (1 - Eps of the paper). A row that has
    `min_samples` near rows, itself among them (MinPts), is dense; dense rows that are near each other are in one
    cluster, and so are the rows near one of them. A row near the dense rows of several clusters goes to the first.
    Cosines are float64, so that only one within 1e-13 of the bound can depend on the machine.

    Args:
        embeddings: float (N, D); N by N cosines are held at once.
        min_similarity: cosine, -1..1.
        min_samples: >= 1.

    Returns:
        bool (N,), True in the cluster of the most rows (of equal ones that whose first dense row comes first); all
        False where no row is dense.
    """
    count = len(embeddings)
    directions = unit(embeddings).astype(np.float64)
    near = directions @ directions.T >= min_similarity
    np.fill_diagonal(near, True)  # whatever the bound and rounding say of a row and itself
    dense = near.sum(axis=1) >= min_samples
    clusters = _first_reached(near, dense)
    sizes = np.bincount(clusters[clusters < count], minlength=count)
    return clusters == sizes.argmax() if dense.any() else np.zeros(count, dtype=np.bool_)


def _first_reached(near: npt.NDArray[np.bool_], dense: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Returns the first dense row that each row reaches over dense rows, int64 (N,); N where it reaches none."""
    count = len(near)
    reached = np.where(dense, np.arange(count), count)
    while True:
        further: npt.NDArray[np.int64] = np.where(near & dense, reached, count).min(axis=1, initial=count)
        if np.array_equal(further[dense], reached[dense]):
            return further
        reached = np.where(dense, further, count)
