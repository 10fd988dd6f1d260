"""What a generator is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt

from synth.errors import VectorsError
from synth.types import Generated, Vectors
from synth.weights.files import WeightFile

UNIT_NORMS: Final = (0.999, 1.001)


@dataclass(frozen=True, slots=True)
class TruthColumn:
    """One column of what a generator knows for sure about its images.

    Attributes:
        dtype: 'float32', 'int32', 'bool' or 'str'.
        width: values a sample; 1 is a plain column (B,), K > 1 a column of lists (B, K).
        unit: like 'degrees' or 'px'; empty where there is none.
    """

    dtype: str
    width: int = 1
    unit: str = ""

    def check(self, name: str, values: npt.NDArray[Any]) -> None:
        """Checks the values of a batch; `name` stands for the column in messages.

        Raises:
            ValueError: they have another dtype or width, or are not finite: each becomes a number of the dataset's
                metadata, which has no word for 'unknown'.
        """
        dtype = "str" if values.dtype.kind in "UO" else values.dtype.name
        tail = () if self.width == 1 else (self.width,)
        if dtype != self.dtype or values.shape[1:] != tail:
            raise ValueError(f"{name}: declared {self.dtype} {('B', *tail)}, got {dtype} {('B', *values.shape[1:])}")
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise ValueError(f"{name}: has NaN or infinite numbers; say 'none' by a number or a bool column of its own")


class Generator(ABC):
    """Turns identity vectors and seeds into images.

    Attributes:
        version: raised whenever the same input gives other images; part of the fingerprint.
        vector_size: D.
        vector_norm: 'unit', or 'raw' where the length of a vector carries meaning.
        norm_range: smallest and largest length of a vector that it takes.
        vector_space: the recogniser's embedding space the vectors must live in, a key of `synth.spaces.SPACES`;
            None takes any.
        truth: columns the generator fills in `Generated.truth`.
        license: licence of the images it makes, as the dataset card says it.
        image_size: side of its images with the published weights, px; plans reckon with it where there is no option
            `size`.
    """

    version: ClassVar[int] = 1
    vector_size: ClassVar[int]
    vector_norm: ClassVar[str] = "unit"
    norm_range: ClassVar[tuple[float, float]] = UNIT_NORMS
    vector_space: ClassVar[str | None] = None
    truth: ClassVar[Mapping[str, TruthColumn]] = {}
    license: ClassVar[str] = "other"
    image_size: ClassVar[int] = 512

    @classmethod
    def weight_files(cls, options: Mapping[str, Any]) -> list[WeightFile]:
        """Returns the files that the constructor reads when it is given these options; by default none.

        Of a folder it must list all it reads: nothing else there counts in a run's fingerprint.
        """
        return []

    @abstractmethod
    def generate(self, vectors: Vectors, indices: npt.NDArray[np.int32], seeds: npt.NDArray[np.uint64]) -> Generated:
        """Generates one image a row.

        Args:
            vectors: float32 (B, D).
            indices: int32 (B,), 0.. within the identity.
            seeds: uint64 (B,); all randomness comes from them.

        Returns:
            uint8 RGB images (B, H, W, 3) and the declared truth columns.
        """

    @classmethod
    def check_vectors(cls, vectors: Vectors) -> None:
        """Refuses vectors that the generator was not made for; needs none of its weights.

        Args:
            vectors: expected float32 (B, `vector_size`), each with a length within `norm_range`.

        Raises:
            VectorsError: naming the first bad row and the way out.
        """
        name, size = cls.__name__, cls.vector_size
        if vectors.ndim != 2 or vectors.shape[1] != size:
            raise VectorsError(
                f"{name}: vectors have shape {vectors.shape}, expected (B, {size}); sample them with dimension {size}"
            )
        low, high = cls.norm_range
        lengths = np.linalg.norm(vectors, axis=1)
        bad = np.flatnonzero(~((lengths >= low) & (lengths <= high)))  # the negation catches NaN as well
        if len(bad):
            row = int(bad[0])
            way_out = "divide them by their length" if cls.vector_norm == "unit" else "do not normalise the embeddings"
            raise VectorsError(
                f"{name}: vector {row} has length {lengths[row]:.4g}, expected {low:g} to {high:g}; {way_out}"
            )
