"""How large the face is."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from filters.base import Filter
from synth.types import FaceBatch


class Resolution(Filter):
    """Height of the face's box in the generated image."""

    unit: ClassVar[str] = "px"

    def measure(self, faces: FaceBatch) -> npt.NDArray[np.float32]:
        """Returns float32 (B,), px; NaN where no face was found."""
        heights = faces.faces.boxes[:, 3] - faces.faces.boxes[:, 1]
        return np.where(faces.faces.found, heights, np.float32(np.nan))
