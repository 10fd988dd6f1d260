"""What a filter is: one number per sample, plus bounds."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from synth.types import FaceBatch


class Filter(ABC):
    """Measures one number per sample; a sample passes where min <= number <= max.

    NaN ('cannot tell') never passes. The drop reason is the filter's file name; the number stays in the tables.

    Attributes:
        version: raised whenever the same faces give other numbers; part of the fingerprint.
        unit: of the number, as the report shows it.
        compares_with_vectors: whether it compares embeddings with identity vectors, which must then live in the
            recogniser's space.
        min: smallest number that passes.
        max: largest number that passes.

    Raises:
        ValueError: min > max.
    """

    version: ClassVar[int] = 1
    unit: ClassVar[str]
    compares_with_vectors: ClassVar[bool] = False

    def __init__(self, *, min: float = -math.inf, max: float = math.inf) -> None:
        if min > max:
            raise ValueError(f"min {min} > max {max}: nothing could pass")
        self.min = float(min)
        self.max = float(max)

    @abstractmethod
    def measure(self, faces: FaceBatch) -> npt.NDArray[np.float32]:
        """Returns the number of each sample, float32 (B,); NaN where it cannot tell."""

    def passes(self, numbers: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
        """Returns which numbers are within the bounds, bool (B,)."""
        return within(numbers, self.min, self.max)


def within(numbers: npt.NDArray[np.float32], low: float, high: float) -> npt.NDArray[np.bool_]:
    """Returns where low <= number <= high, bool (B,); NaN is nowhere within, whatever the bounds."""
    return (numbers >= low) & (numbers <= high)
