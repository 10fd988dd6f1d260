"""Identity vectors in uniformly random directions."""

from __future__ import annotations

import numpy as np

from synth.rejection import draw_separated
from synth.samplers.base import IdentitySampler
from synth.seeding import sample_seed
from synth.similarity import unit
from synth.types import Vectors

BLOCK = 1024  # candidates that share a random stream; part of what a seed means


class GaussianSampler(IdentitySampler):
    """Draws from the uniform distribution on the unit sphere: normalised vectors of independent Gaussians.

    Muller (1959), A note on a method for generating points uniformly on n-dimensional spheres. In 512 dimensions the
    cosine of two of them has a standard deviation of 1 / sqrt(512) = 0.044, so nearly all identities are far apart.

    Args:
        dimension: D, size of the vectors.
        max_similarity: largest cosine allowed between two vectors, -1..1; candidates that exceed it with one kept
            before are passed over. None: any.
        space: the recogniser whose embedding space the directions are declared to be of, where a generator insists
            on one.

    Raises:
        ValueError: dimension < 1, or max_similarity is not within -1..1.
    """

    def __init__(self, *, dimension: int = 512, max_similarity: float | None = None, space: str | None = None) -> None:
        if dimension < 1:
            raise ValueError(f"dimension {dimension}: must be at least 1")
        if max_similarity is not None and not -1 <= max_similarity <= 1:
            raise ValueError(f"max_similarity {max_similarity}: a cosine is within -1..1")
        self.dimension = dimension
        self.max_similarity = max_similarity
        self.space = space

    def sample(self, count: int, seed: int) -> Vectors:
        """Returns the first `count` identity vectors of a seed, float32 (count, D), unit norm.

        Raises:
            VectorsError: max_similarity leaves no room for so many.
        """

        def candidates(start: int, stop: int) -> Vectors:
            return self._candidates(seed, start, stop)

        return draw_separated(candidates, count, self.max_similarity)

    def _candidates(self, seed: int, start: int, stop: int) -> Vectors:
        """Returns candidates start..stop-1; each is a function of the seed and its position alone."""
        if stop <= start:
            return np.empty((0, self.dimension), dtype=np.float32)
        first = start // BLOCK
        blocks = [self._block(seed, number) for number in range(first, (stop - 1) // BLOCK + 1)]
        return np.concatenate(blocks)[start - first * BLOCK : stop - first * BLOCK]

    def _block(self, seed: int, number: int) -> Vectors:
        random = np.random.Generator(np.random.PCG64(sample_seed(seed, "samplers.gaussian", number)))
        return unit(random.standard_normal((BLOCK, self.dimension)))
