"""What an identity sampler is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from synth.types import Vectors
from synth.weights.files import WeightFile


class IdentitySampler(ABC):
    """Makes identity vectors.

    Attributes:
        version: raised whenever the same seed gives other vectors; part of the fingerprint.
        dimension: D, size of the vectors.
        norm: 'unit', or 'raw' where the length of a vector carries meaning.
        space: the embedding space the vectors live in, a key of `synth.spaces.SPACES`; None where they live in no
            recogniser's space.
    """

    version: ClassVar[int] = 1
    norm: str = "unit"
    dimension: int
    space: str | None = None

    @classmethod
    def weight_files(cls, options: Mapping[str, Any]) -> list[WeightFile]:
        """Returns the files that the constructor reads when it is given these options; by default none."""
        return []

    @abstractmethod
    def sample(self, count: int, seed: int) -> Vectors:
        """Returns the first `count` identity vectors of a seed, float32 (count, D).

        A larger count with the same seed starts with the same vectors.
        """
