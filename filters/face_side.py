"""How many pixels the face has in its narrower direction."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from filters.base import Filter
from synth.types import FaceBatch


class FaceSide(Filter):
    """Shorter side of the face's box in the generated image; what is beyond the image's edges does not count.

    It finds faces that the image's edge cuts off, which `resolution`, the height of the whole box, does not.
    """

    unit: ClassVar[str] = "px"

    def measure(self, faces: FaceBatch) -> npt.NDArray[np.float32]:
        """Returns float32 (B,), px; NaN where no face was found."""
        height, width = faces.images.shape[1:3]
        left, top, right, bottom = np.clip(faces.faces.boxes.T, 0, np.array([[width], [height]] * 2))
        sides = np.minimum(right - left, bottom - top)
        return np.where(faces.faces.found, sides, np.nan).astype(np.float32)
