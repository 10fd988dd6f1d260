"""From an identity vector to independent standard-normal coordinates, and which consumer reads which of them.

A direction that is uniform on the sphere in D dimensions has, times sqrt(D), coordinates that are close to standard
normal and nearly independent. A fixed rotation in between makes every coordinate of the vector move all traits a
little, so that the cosine between two vectors, and not one axis of them, says how alike two people are.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

VECTOR_SIZE = 512
ROTATION_SEED = 20_512

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]

BLOCKS = {  # name -> number of coordinates, in order; changing this changes every face
    "person": 8,
    "shape": 147,
    "asymmetry": 34,
    "fields": 120,
    "skin": 16,
    "blotches": 10,
    "freckles": 4,
    "moles": 12,
    "wrinkles": 8,
    "lips": 10,
    "eyes": 10,
    "brows": 16,
    "beard": 12,
    "colouring": 8,
    "hairline": 8,
    "hair": 16,
    "teeth": 2,
}


def read_coordinates(vector: Float32) -> dict[str, Float64]:
    """Returns the standard-normal coordinates of an identity, by block.

    Args:
        vector: float32 (512,); only its direction counts.

    Returns:
        float64 (n,) for each name of BLOCKS.

    Raises:
        ValueError: the vector has another shape, is zero or not finite.
    """
    if vector.shape != (VECTOR_SIZE,):
        raise ValueError(f"vector: expected shape ({VECTOR_SIZE},), got {vector.shape}")
    norm = float(np.linalg.norm(vector))
    if not np.isfinite(norm) or norm == 0.0:
        raise ValueError(f"vector: expected finite numbers and a norm above 0, got norm {norm}")
    coordinates = _rotation() @ (vector.astype(np.float64) * (np.sqrt(VECTOR_SIZE) / norm))
    ends = np.cumsum(list(BLOCKS.values()))
    return dict(zip(BLOCKS, np.split(coordinates, ends)[: len(BLOCKS)], strict=True))


def uniform(normal: Float64) -> Float64:
    """Returns the normal distribution function: standard-normal coordinates become uniform in 0..1, same shape."""
    return np.asarray(ndtr(normal), dtype=np.float64)


def bounded(normal: Float64) -> Float64:
    """Returns uniform coordinates of mean 0 and variance 1, so within +-sqrt(3), of standard-normal ones.

    Without tails, people differ as much as with them, but no single feature becomes a caricature.
    """
    return np.asarray(np.sqrt(12.0) * (uniform(normal) - 0.5), dtype=np.float64)


@cache
def _rotation() -> Float64:
    """Returns a fixed random orthogonal matrix, float64 (512, 512).

    QR of a Gaussian matrix, with the signs of R's diagonal made positive so that the result is unique.
    """
    gaussian = np.random.default_rng(ROTATION_SEED).standard_normal((VECTOR_SIZE, VECTOR_SIZE))
    orthogonal, triangular = np.linalg.qr(gaussian)
    return np.asarray(orthogonal * np.sign(np.diag(triangular)), dtype=np.float64)
