"""Mean and principal components of a cloud of vectors.

They are sums over all vectors and hold none of them. Of real people's embeddings they are an aggregate of the group;
with hardly more people than components they still say much about these people.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from synth.similarity import unit
from synth.types import Vectors

Float64 = npt.NDArray[np.float64]
Norm = Literal["unit", "raw"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VectorStatistics:
    """What is kept of a cloud of vectors.

    Attributes:
        mean: float64 (D,).
        components: float64 (K, D), orthonormal rows, widest first: eigenvectors of the covariance.
        deviations: float64 (K,), standard deviation along each, >= 0.
        norm: 'unit' where the vectors had length 1, 'raw' where their length carries meaning.
        space: the recogniser's embedding space they live in; None: none is known.
        count: number of vectors.
    """

    mean: Float64
    components: Float64
    deviations: Float64
    norm: Norm
    space: str | None
    count: int

    def draw(self, random: np.random.Generator, count: int) -> Vectors:
        """Draws Gaussian numbers along the components and turns them back, float32 (count, D), of the norm."""
        along = random.standard_normal((count, len(self.deviations))) * self.deviations
        vectors = self.mean + along @ self.components
        return unit(vectors) if self.norm == "unit" else vectors.astype(np.float32)


def fit_statistics(
    blocks: Iterable[Vectors], *, components: int | None = None, norm: Norm = "unit", space: str | None = None
) -> VectorStatistics:
    """Fits mean and principal components exactly: eigenvectors of the covariance, from sums in float64.

    Args:
        blocks: the vectors, float32 (B, D) each; read once.
        components: K, at most D; None: D.
        norm: 'unit' scales each vector to length 1 first, 'raw' takes them as they are.
        space: the recogniser's embedding space the vectors live in.

    Raises:
        ValueError: components is not within 1..D, or there are no more vectors than components, so that not all of
            them are determined.
    """
    count, centre = 0, np.zeros(0)
    first, second = np.zeros(0), np.zeros((0, 0))
    for block in blocks:
        rows = (unit(block) if norm == "unit" else block).astype(np.float64)
        if count == 0:  # sums around a point within the cloud keep the digits that sums around 0 would lose
            centre = rows.mean(axis=0)
            first, second = np.zeros(rows.shape[1]), np.zeros((rows.shape[1], rows.shape[1]))
        rows -= centre
        first += rows.sum(axis=0)
        second += rows.T @ rows
        count += len(rows)
    wanted = len(centre) if components is None else components
    _check_rank(count, wanted, len(centre))
    shift = first / count
    covariance = (second - count * np.outer(shift, shift)) / (count - 1)
    directions, deviations = _principal(covariance, wanted)
    return VectorStatistics(
        mean=centre + shift, components=directions, deviations=deviations, norm=norm, space=space, count=count
    )


def _check_rank(count: int, wanted: int, dimension: int) -> None:
    if not 1 <= wanted <= max(dimension, 1):
        raise ValueError(f"components {wanted}: vectors of {dimension} numbers have 1 to {dimension} components")
    if count <= wanted:
        raise ValueError(
            f"{count} vectors determine at most {max(count - 1, 0)} components, {wanted} are wanted; "
            "add vectors or lower the number of components"
        )


def _principal(covariance: Float64, wanted: int) -> tuple[Float64, Float64]:
    """Returns the widest eigenvectors as rows, their largest number positive, and their standard deviations."""
    variances, columns = np.linalg.eigh(covariance)
    order = np.argsort(variances, kind="stable")[::-1][:wanted]
    directions = np.ascontiguousarray(columns[:, order].T)
    largest = np.abs(directions).argmax(axis=1)
    directions *= np.sign(directions[np.arange(wanted), largest])[:, None]
    return directions, np.sqrt(np.maximum(variances[order], 0))
