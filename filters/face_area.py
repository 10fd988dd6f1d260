"""How much of the image the face takes."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from filters.base import Filter
from synth.types import FaceBatch


class FaceArea(Filter):
    """Share of the generated image that the face's box covers; what is beyond the image's edges does not count.

    Among the rules that made FaceID-6M is one like it: images whose face takes less than 0.04 of them were left out.
    """

    unit: ClassVar[str] = "share"

    def measure(self, faces: FaceBatch) -> npt.NDArray[np.float32]:
        """Returns float32 (B,), 0..1; NaN where no face was found."""
        height, width = faces.images.shape[1:3]
        left, top, right, bottom = np.clip(faces.faces.boxes.T, 0, np.array([[width], [height]] * 2))
        shares = (right - left) * (bottom - top) / (width * height)
        return np.where(faces.faces.found, shares, np.nan).astype(np.float32)
