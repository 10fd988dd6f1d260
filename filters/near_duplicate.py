"""How close a face is to an earlier one of its identity."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from filters.base import Filter
from synth.similarity import cosine_matrix
from synth.types import FaceBatch


class NearDuplicate(Filter):
    """Largest cosine of the embedding with one of a lower index in the same identity.

    Only lower indices count, so that one of two equal faces stays.
    """

    unit: ClassVar[str] = "cosine"

    def measure(self, faces: FaceBatch) -> npt.NDArray[np.float32]:
        """Returns float32 (B,), -1..1, -1 for an identity's first face; NaN where no face was found."""
        found = faces.faces.found
        result = np.where(found, np.float32(-1), np.float32(np.nan))
        for identity in np.unique(faces.identities[found]):
            rows = np.flatnonzero((faces.identities == identity) & found)
            rows = rows[np.argsort(faces.indices[rows], kind="stable")]
            embeddings = faces.faces.embeddings[rows]
            lower = np.tril(np.ones((len(rows), len(rows)), dtype=np.bool_), k=-1)
            result[rows] = np.where(lower, cosine_matrix(embeddings, embeddings), -1).max(axis=1)
        return result
