"""Identity vectors that somebody else made."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from synth.errors import VectorsError
from synth.samplers.base import IdentitySampler
from synth.similarity import unit
from synth.types import Vectors
from synth.vectors.files import read_vectors
from synth.vectors.rejection import check_bound, draw_separated

TOLERANCE = 2e-3  # of the length of a unit vector; float16 files are off by up to 1e-3


class FileSampler(IdentitySampler):
    """Takes the vectors of a file in their order; the seed changes nothing.

    Args:
        path: .npy, .npz, .safetensors or .parquet file of float vectors (N, D).
        key: name of the array, or of the list column of a parquet file, where there are several.
        norm: 'unit' where the vectors have length 1 (they are scaled to it exactly), 'raw' where their length carries
            meaning.
        space: the recogniser whose embedding space the vectors live in, like 'arcface'.
        max_similarity: largest cosine allowed between two vectors, -1..1; those that exceed it with one kept before
            are passed over. None: any.

    Raises:
        VectorsError: the file cannot be read or its vectors are not what is declared.
        ValueError: max_similarity is not within -1..1.
    """

    def __init__(
        self,
        *,
        path: str,
        key: str | None = None,
        norm: Literal["unit", "raw"] = "unit",
        space: str | None = None,
        max_similarity: float | None = None,
        device: str = "cpu",
    ) -> None:
        check_bound(max_similarity)
        vectors = read_vectors(Path(path), key)
        if norm == "unit":
            _check_unit(path, vectors)
            vectors = unit(vectors)
        self.path = path
        self.norm = norm
        self.space = space
        self.dimension = vectors.shape[1]
        self.max_similarity = max_similarity
        self.device = device
        self._vectors = vectors

    def sample(self, count: int, seed: int) -> Vectors:
        """Returns the first `count` vectors of the file that keep the bound, float32 (count, D).

        Raises:
            VectorsError: the file has too few.
        """

        def candidates(start: int, stop: int) -> Vectors:
            return self._vectors[start:stop]

        try:
            return draw_separated(candidates, count, self.max_similarity, device=self.device)
        except VectorsError as error:
            raise VectorsError(f"{self.path}: {error}") from None


def _check_unit(path: str, vectors: Vectors) -> None:
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
    wrong = np.flatnonzero(np.abs(lengths - 1) > TOLERANCE)
    if len(wrong):
        raise VectorsError(
            f"{path}: row {wrong[0]} has length {lengths[wrong[0]]:.4g} ({len(wrong)} of {len(vectors)} rows lack "
            "length 1); divide them by their length, or declare `norm: raw`"
        )
