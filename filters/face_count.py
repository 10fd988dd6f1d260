"""How many faces an image shows."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from filters.base import Filter
from synth.types import FaceBatch


class FaceCount(Filter):
    """Number of faces found; a training image should show one (`max: 1`)."""

    unit: ClassVar[str] = "faces"

    def measure(self, faces: FaceBatch) -> npt.NDArray[np.float32]:
        """Returns float32 (B,), whole numbers >= 1; NaN where no face was found."""
        return np.where(faces.faces.found, faces.faces.counts, np.nan).astype(np.float32)
