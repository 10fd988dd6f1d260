"""Identity vectors that keep as far from each other as they can."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from synth.errors import DeviceMemoryError, VectorsError
from synth.extras import torch_device
from synth.samplers.base import IdentitySampler
from synth.seeding import sample_seed
from synth.similarity import separate, unit
from synth.types import Vectors
from synth.vectors.files import read_vectors
from synth.vectors.packing import Array, Library, spread
from synth.vectors.rejection import check_bound
from synth.vectors.statistics import VectorStatistics, fit_statistics
from synth.vectors.statistics_files import read_statistics, statistics_file
from synth.weights.files import WeightFile

logger = logging.getLogger(__name__)

TILE: Final = 1024  # vectors that are spread at once, beside all tiles before; part of what a seed means
GALLERY: Final = 8192  # vectors of the reference that draw points towards them, at most

# Options that say something the reference does not: all others come from its file.
_FREE: Final = {None: {"dimension", "space"}, "statistics": set[str](), "embeddings": {"key", "norm", "space"}}


class PackingSampler(IdentitySampler):
    """Spreads directions over the sphere so that the closest two are far apart: the packing of HyperFace.

    Shahreza and Marcel (ICLR 2025), HyperFace: Generating Synthetic Face Recognition Datasets by Exploring Face
    Embedding Hypersphere. Gradient descent makes the cosines of near neighbours small, and a pull keeps the points
    where a reference says that faces are. Points start as draws of the reference (in uniformly random directions
    where there is none); of raw norm, vectors keep the length that they were drawn with.

    Tiles of 1,024 vectors are spread one after another, each beside all before it, which stay: a larger count starts
    with the same vectors. Time grows with the square of the count. Vectors are the same on one kind of hardware; a
    GPU's differ from a CPU's.

    Measured on 10,240 vectors of 512 numbers without reference: the largest cosine of a vector with another one is
    0.077 in the mean and 0.080 at most (with 100 steps 0.074 and 0.076); of random directions (sampler gaussian) 0.169
    and 0.238. One CPU core takes 100 seconds (180 with 100 steps).

    Args:
        dimension: D, 512 by default; only where there is no reference.
        statistics: reference: file made by `synth fit-sampler`; it says dimension, norm and space.
        embeddings: reference: .npy, .npz, .safetensors or .parquet file of vectors. Points are drawn towards single
            rows of it: of real people's embeddings use `statistics` instead.
        key: name of the array or list column in `embeddings`, where there are several.
        norm: 'raw' where the length of a vector of `embeddings` carries meaning; 'unit' by default.
        space: the recogniser's embedding space the vectors live in; with `statistics` it is theirs.
        pull: strength of the pull towards the nearest of 8,192 vectors of the reference, >= 0; 0: none. The push of
            neighbours has strength 1 where they all lie in one direction.
        steps: of the descent of each tile, >= 1.
        max_similarity: largest cosine allowed between two vectors, -1..1; where it cannot be kept, sampling fails.
            None: any.
        device: where to compute, like 'cpu' or 'cuda:0'.

    Raises:
        VectorsError: the reference cannot be read.
        ValueError: an option is out of range or contradicts the reference.
    """

    def __init__(
        self,
        *,
        dimension: int | None = None,
        statistics: str | None = None,
        embeddings: str | None = None,
        key: str | None = None,
        norm: Literal["unit", "raw"] | None = None,
        space: str | None = None,
        pull: float = 0.5,
        steps: int = 50,
        max_similarity: float | None = None,
        device: str = "cpu",
    ) -> None:
        check_bound(max_similarity)
        _check_range(dimension, pull, steps)
        given = {"dimension": dimension, "key": key, "norm": norm, "space": space}
        _check_reference(statistics, embeddings, {name for name, value in given.items() if value is not None})
        self._statistics = None if statistics is None else read_statistics(Path(statistics))
        self._embeddings = None if embeddings is None else read_vectors(Path(embeddings), key)
        self.dimension = 512 if dimension is None else dimension
        self.norm = norm or "unit"
        self.space = space
        if self._embeddings is not None:
            self.dimension = self._embeddings.shape[1]
        if self._statistics is not None:
            self.dimension, self.norm = len(self._statistics.mean), self._statistics.norm
            self.space = self._statistics.space
        self.pull = pull
        self.steps = steps
        self.max_similarity = max_similarity
        self.device = device

    @classmethod
    def weight_files(cls, options: Mapping[str, Any]) -> list[WeightFile]:
        """Returns the statistics file, where that is the reference."""
        statistics = options.get("statistics")
        return [] if statistics is None else [statistics_file(Path(statistics))]

    def sample(self, count: int, seed: int) -> Vectors:
        """Returns the first `count` identity vectors of a seed, float32 (count, D).

        Raises:
            VectorsError: max_similarity cannot be kept, or `embeddings` has too few vectors to start from.
            DeviceMemoryError: they do not fit the device.
        """
        if count == 0:
            return np.empty((0, self.dimension), dtype=np.float32)
        reference = self._reference()
        tiles = range(-(-count // TILE))
        starts = np.concatenate([_start(reference, self.dimension, seed, number) for number in tiles])
        directions = self._spread_tiles(unit(starts), self._gallery(reference, seed))[:count]
        self._check_separation(directions)
        if self.norm == "unit":
            return directions
        vectors: Vectors = directions * np.linalg.norm(starts[:count], axis=1, keepdims=True)
        return vectors

    def _reference(self) -> VectorStatistics | None:
        if self._embeddings is None:
            return self._statistics
        norm: Literal["unit", "raw"] = "unit" if self.norm == "unit" else "raw"
        count, dimension = self._embeddings.shape
        try:
            return fit_statistics([self._embeddings], components=min(dimension, count - 1), norm=norm)
        except ValueError as error:
            raise VectorsError(f"packing: embeddings: {error}") from error

    def _gallery(self, reference: VectorStatistics | None, seed: int) -> Vectors | None:
        """Returns the directions that draw points towards them, float32 (G, D)."""
        if reference is None or self.pull == 0:
            return None
        random = np.random.Generator(np.random.PCG64(sample_seed(seed, "samplers.packing.gallery")))
        if self._embeddings is None:
            return unit(reference.draw(random, GALLERY))
        size = min(GALLERY, len(self._embeddings))
        return unit(self._embeddings[random.choice(len(self._embeddings), size, replace=False)])

    def _spread_tiles(self, starts: Vectors, gallery: Vectors | None) -> Vectors:
        """Returns where the points of each tile end up, float32, unit length."""
        device = torch_device(self.device)
        if device != self.device:
            logger.warning("packing: torch has no %s, vectors are those of a CPU, not those of a GPU", self.device)
        if device == "cpu":
            return unit(self._spread_on(np, starts, gallery))
        import torch

        from synth.torch_runtime import prepare

        where = prepare(device)
        try:
            held = None if gallery is None else torch.from_numpy(gallery).to(where)
            return unit(self._spread_on(torch, torch.from_numpy(starts).to(where), held).cpu().numpy())
        except torch.OutOfMemoryError as error:
            raise DeviceMemoryError(
                f"packing: {len(starts)} vectors do not fit the device's memory ({error}); give it `device: cpu`"
            ) from error

    def _spread_on(self, xp: Library, points: Array, gallery: Array | None) -> Array:
        """Spreads tile after tile, in place, with the module numpy or torch."""
        for first in range(0, len(points), TILE):
            tile = slice(first, first + TILE)
            points[tile] = spread(
                points[tile], points[:first], steps=self.steps, gallery=gallery, pull=self.pull, xp=xp
            )
        return points

    def _check_separation(self, directions: Vectors) -> None:
        if self.max_similarity is None:
            return
        kept = separate(directions, self.max_similarity, device=torch_device(self.device))
        if not kept.all():
            raise VectorsError(
                f"packing: {len(kept) - kept.sum()} of {len(kept)} identity vectors are more similar to another one "
                f"than max_similarity {self.max_similarity}; lower the count or pull, or raise steps or max_similarity"
            )


def _start(reference: VectorStatistics | None, dimension: int, seed: int, number: int) -> npt.NDArray[np.float32]:
    """Returns where the points of a tile start, float32 (TILE, D)."""
    random = np.random.Generator(np.random.PCG64(sample_seed(seed, "samplers.packing", number)))
    if reference is None:
        return unit(random.standard_normal((TILE, dimension)))
    return reference.draw(random, TILE)


def _check_range(dimension: int | None, pull: float, steps: int) -> None:
    if dimension is not None and dimension < 2:
        raise ValueError(f"dimension {dimension}: must be at least 2")
    if not 0 <= pull < np.inf:
        raise ValueError(f"pull {pull}: must be 0 or a positive number")
    if steps < 1:
        raise ValueError(f"steps {steps}: must be at least 1")


def _check_reference(statistics: str | None, embeddings: str | None, given: set[str]) -> None:
    if statistics is not None and embeddings is not None:
        raise ValueError("statistics and embeddings are two references; remove one")
    reference = "statistics" if statistics is not None else "embeddings" if embeddings is not None else None
    extra = sorted(given - _FREE[reference])
    if extra and reference is None:
        raise ValueError(f"{', '.join(extra)}: says something about `embeddings`, and none are given; remove it")
    if extra:
        raise ValueError(f"{', '.join(extra)}: comes from the file in `{reference}`; remove it")
