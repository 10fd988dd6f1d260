"""Identity vectors that spread like the embeddings of a recogniser do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from synth.samplers.base import IdentitySampler
from synth.seeding import sample_seed
from synth.types import Vectors
from synth.vectors.rejection import check_bound, draw_separated, in_blocks
from synth.vectors.statistics_files import read_statistics, statistics_file
from synth.weights.files import WeightFile

BLOCK: Final = 1024  # candidates that share a random stream; part of what a seed means


class PcaGaussianSampler(IdentitySampler):
    """Draws independent Gaussian numbers along the principal components of real embeddings, and turns them back.

    The sampler of Vec2Face (Wu et al. 2025): its authors fit it to the identity centres of MS1MV2 and reject vectors
    whose cosine with one kept before exceeds 0.3. Dimension, norm and space are those of the statistics, which
    `synth fit-sampler` makes from a file of embeddings; of unit norm, the vectors are scaled to length 1 at the end.

    Args:
        statistics: .npz or .safetensors file made by `synth fit-sampler`.
        max_similarity: largest cosine allowed between two vectors, -1..1; candidates that exceed it with one kept
            before are passed over. None: any.
        device: where candidates are compared with each other, like 'cpu' or 'cuda:0'; it changes no vector.

    Raises:
        VectorsError: the file is missing, damaged, or no statistics file.
        ValueError: max_similarity is not within -1..1.
    """

    def __init__(self, *, statistics: str, max_similarity: float | None = None, device: str = "cpu") -> None:
        check_bound(max_similarity)
        self._statistics = read_statistics(Path(statistics))
        self.dimension = len(self._statistics.mean)
        self.norm = self._statistics.norm
        self.space = self._statistics.space
        self.max_similarity = max_similarity
        self.device = device

    @classmethod
    def weight_files(cls, options: Mapping[str, Any]) -> list[WeightFile]:
        """Returns the statistics file."""
        return [statistics_file(Path(options["statistics"]))]

    def sample(self, count: int, seed: int) -> Vectors:
        """Returns the first `count` identity vectors of a seed, float32 (count, D).

        Raises:
            VectorsError: max_similarity leaves no room for so many.
        """
        candidates = in_blocks(lambda number: self._block(seed, number), BLOCK, self.dimension)
        return draw_separated(candidates, count, self.max_similarity, device=self.device)

    def _block(self, seed: int, number: int) -> Vectors:
        random = np.random.Generator(np.random.PCG64(sample_seed(seed, "samplers.pca_gaussian", number)))
        return self._statistics.draw(random, BLOCK)
