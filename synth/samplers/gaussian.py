"""Identity vectors in uniformly random directions."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np

from synth.samplers.base import IdentitySampler
from synth.seeding import sample_seed
from synth.similarity import unit
from synth.types import Vectors
from synth.vectors.rejection import check_bound, draw_separated, in_blocks

BLOCK: Final = 1024  # candidates that share a random stream; part of what a seed means


class GaussianSampler(IdentitySampler):
    """Draws vectors of independent Gaussian numbers: directions that are uniform on the sphere.

    Muller (1959), A note on a method for generating points uniformly on n-dimensional spheres. In 512 dimensions the
    cosine of two of them has a standard deviation of 1 / sqrt(512) = 0.044, so nearly all identities are far apart.

    Of raw norm the vectors stay as drawn. The ArcFace features that Vec2Face was trained on have a standard deviation
    of 0.96731 in each coordinate: `std: 0.96731` gives lengths near 21.9, with a spread of 0.7.

    Args:
        dimension: D, size of the vectors.
        max_similarity: largest cosine allowed between two vectors, -1..1; candidates that exceed it with one kept
            before are passed over. None: any.
        space: the recogniser whose embedding space the directions are declared to be of, where a generator insists
            on one.
        norm: 'unit' scales the vectors to length 1, 'raw' leaves them as drawn.
        std: standard deviation of each coordinate of raw vectors, > 0.
        device: where candidates are compared with each other, like 'cpu' or 'cuda:0'; it changes no vector.

    Raises:
        ValueError: dimension < 1, std is not positive or is given with unit norm, or max_similarity is not within
            -1..1.
    """

    def __init__(
        self,
        *,
        dimension: int = 512,
        max_similarity: float | None = None,
        space: str | None = None,
        norm: Literal["unit", "raw"] = "unit",
        std: float = 1.0,
        device: str = "cpu",
    ) -> None:
        if dimension < 1:
            raise ValueError(f"dimension {dimension}: must be at least 1")
        if not 0 < std < np.inf:
            raise ValueError(f"std {std}: must be a positive number")
        if norm == "unit" and std != 1:
            raise ValueError(f"std {std}: unit vectors have length 1 whatever it is; remove it or use `norm: raw`")
        check_bound(max_similarity)
        self.dimension = dimension
        self.max_similarity = max_similarity
        self.space = space
        self.norm = norm
        self.std = std
        self.device = device

    def sample(self, count: int, seed: int) -> Vectors:
        """Returns the first `count` identity vectors of a seed, float32 (count, D).

        Raises:
            VectorsError: max_similarity leaves no room for so many.
        """
        candidates = in_blocks(lambda number: self._block(seed, number), BLOCK, self.dimension)
        return draw_separated(candidates, count, self.max_similarity, device=self.device)

    def _block(self, seed: int, number: int) -> Vectors:
        random = np.random.Generator(np.random.PCG64(sample_seed(seed, "samplers.gaussian", number)))
        drawn = random.standard_normal((BLOCK, self.dimension))
        return unit(drawn) if self.norm == "unit" else (self.std * drawn).astype(np.float32)
