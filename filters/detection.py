"""How sure the detector is."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from filters.base import Filter
from synth.types import FaceBatch


class Detection(Filter):
    """Confidence of the face detector in the largest face, 0..1."""

    unit: ClassVar[str] = "score"

    def measure(self, faces: FaceBatch) -> npt.NDArray[np.float32]:
        """Returns float32 (B,), 0..1; NaN where no face was found."""
        return np.where(faces.faces.found, faces.faces.scores, np.float32(np.nan))
