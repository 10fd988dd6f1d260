"""How close a face is to the identity vector it was generated from."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from filters.base import Filter
from synth.similarity import cosine
from synth.types import FaceBatch


class VectorSimilarity(Filter):
    """Cosine of the embedding with the identity vector the generator was given.

    Means something only where the vectors live in the recogniser's own space.
    """

    unit: ClassVar[str] = "cosine"
    compares_with_vectors: ClassVar[bool] = True

    def measure(self, faces: FaceBatch) -> npt.NDArray[np.float32]:
        """Returns float32 (B,), -1..1; NaN where no face was found, or all NaN where the sizes differ."""
        embeddings = faces.faces.embeddings
        if embeddings.shape[1] != faces.vectors.shape[1]:
            return np.full(len(embeddings), np.nan, dtype=np.float32)
        return np.where(faces.faces.found, cosine(embeddings, faces.vectors), np.float32(np.nan))
