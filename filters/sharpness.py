"""How sharp the aligned face is."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from filters.base import Filter
from synth.images import LUMA
from synth.types import FaceBatch


class Sharpness(Filter):
    """Variance of the Laplacian of the luma of the aligned face.

    Pech-Pacheco, Cristobal, Chamorro-Martinez and Fernandez-Valdivia (2000), "Diatom autofocusing in brightfield
    microscopy: a comparative study". Higher is sharper. It depends on the scale of the picture, so it is always
    measured on the 112x112 crop.
    """

    unit: ClassVar[str] = "grey levels squared"

    def measure(self, faces: FaceBatch) -> npt.NDArray[np.float32]:
        """Returns float32 (B,), >= 0; NaN where no face was found."""
        result = np.full(len(faces.identities), np.nan, dtype=np.float32)
        for row in np.flatnonzero(faces.faces.found):
            luma = faces.faces.aligned[row] @ LUMA
            neighbours = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:]
            result[row] = np.var(neighbours - 4 * luma[1:-1, 1:-1])
        return result
