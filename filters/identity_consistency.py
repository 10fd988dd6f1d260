"""How well a face fits the other faces of its identity."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from filters.base import Filter
from synth.similarity import leave_one_out
from synth.types import FaceBatch


class IdentityConsistency(Filter):
    """Cosine of the embedding with the centroid of the identity's other faces.

    The sample itself is left out of the centroid, which it would otherwise pull towards itself, the more so the
    fewer faces there are.
    """

    unit: ClassVar[str] = "cosine"

    def measure(self, faces: FaceBatch) -> npt.NDArray[np.float32]:
        """Returns float32 (B,), -1..1; NaN where no face was found or the identity has no other face."""
        present = np.where(faces.faces.found[:, None], faces.faces.embeddings, np.float32(0))
        return leave_one_out(present, faces.identities)
