"""Images that are there twice: the same bytes, nearly the same picture, nearly the same embedding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from synth.audits.classes import Labels, classes
from synth.audits.pairs import ClosestPairs, pair_blocks
from synth.images import LUMA
from synth.similarity import Float32, unit
from synth.types import Images

HASH_ROWS, HASH_COLUMNS = 8, 8
HASH_BITS: Final = HASH_ROWS * HASH_COLUMNS
MOST_BITS: Final = 4  # that the hashes of two nearly equal pictures differ in
ALIKE: Final = 0.95  # cosine; Zhu et al. (2021), WebFace260M, remove what is more alike within a folder


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EqualBytes:
    """Images whose bytes are the same.

    Attributes:
        copies: samples that repeat an earlier one of their class.
        across: int64 (P, 2), rows of an image and its first copy under another label, one pair for each such label.
    """

    copies: int
    across: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NearEqual:
    """Pairs that are nearly the same.

    Attributes:
        count: of all of them.
        closest: the closest ones.
    """

    count: int
    closest: ClosestPairs

    def joined(self, start: int, other: int, similarities: Float32, most: int) -> NearEqual:
        """Returns these pairs and those of a block, as `ClosestPairs.joined` takes it."""
        count = self.count + int(np.count_nonzero(similarities > -np.inf))
        return NearEqual(count=count, closest=self.closest.joined(start, other, similarities, most))


def equal_bytes(digests: npt.NDArray[np.uint64], labels: Labels) -> EqualBytes:
    """Finds images with the same digest.

    Args:
        digests: uint64 (N,), a hash of each encoded image.
        labels: integer (N,).
    """
    order = np.lexsort((np.arange(len(digests)), labels, digests))
    same = digests[order][1:] == digests[order][:-1]
    same_label = labels[order][1:] == labels[order][:-1]
    starts = np.flatnonzero(np.concatenate([[True], ~same]))
    first = order[starts][np.cumsum(np.concatenate([[True], ~same])) - 1] if len(order) else order
    others = np.flatnonzero(same & ~same_label) + 1
    return EqualBytes(
        copies=int(np.count_nonzero(same & same_label)),
        across=np.stack([first[others], order[others]], axis=1).astype(np.int64),
    )


def difference_hash(images: Images) -> npt.NDArray[np.bool_]:
    """Returns the difference hash of each image: whether a cell of a grid is brighter than its left neighbour.

    Krawetz (2013), dHash: 8 rows of 9 cells; here a cell is the mean luma of its pixels.

    Args:
        images: uint8 RGB (B, H, W, 3), at least 9 px a side.

    Returns:
        bool (B, 64).
    """
    height, width = images.shape[1:3]
    rows = np.arange(HASH_ROWS) * height // HASH_ROWS
    columns = np.arange(HASH_COLUMNS + 1) * width // (HASH_COLUMNS + 1)
    sums = np.add.reduceat(np.add.reduceat(images.astype(np.float64) @ LUMA, rows, axis=1), columns, axis=2)
    pixels = np.diff([*rows, height])[:, None] * np.diff([*columns, width])[None, :]
    cells = sums / pixels
    hashes: npt.NDArray[np.bool_] = (cells[:, :, 1:] > cells[:, :, :-1]).reshape(len(images), HASH_BITS)
    return hashes


def similar_hashes(
    hashes: npt.NDArray[np.bool_],
    labels: Labels,
    embeddings: npt.NDArray[np.floating[Any]],
    threshold: float | None,
    most_pairs: int,
) -> tuple[NearEqual, NearEqual]:
    """Finds pictures of two classes whose hashes differ in at most MOST_BITS bits, comparing all pairs.

    As vectors of +1 and -1 two hashes have a cosine of 1 - 2 d / 64, where d is the number of bits that differ.

    Args:
        hashes: bool (N, 64).
        labels: integer (N,).
        embeddings: float (N, E), unit length, of the faces.
        threshold: cosine from which two faces are one; None: there is none.
        most_pairs: how many of the closest pairs are returned.

    Returns:
        All such pairs, and those of them whose faces are one; none without a threshold.
    """
    least = 1 - (2 * MOST_BITS + 1) / HASH_BITS  # halfway to one bit more
    signs = np.where(hashes, 1, -1).astype(np.float32)
    similar = confirmed = NearEqual(count=0, closest=ClosestPairs.none())
    for start, other, cosines in pair_blocks(signs):
        rows, columns = cosines.shape
        cosines[labels[start : start + rows, None] == labels[None, other : other + columns]] = -np.inf
        cosines[cosines < least] = -np.inf
        similar = similar.joined(start, other, cosines, most_pairs)
        if threshold is not None and (cosines > -np.inf).any():
            faces = embeddings[start : start + rows] @ embeddings[other : other + columns].T
            cosines[faces < threshold] = -np.inf
            confirmed = confirmed.joined(start, other, cosines, most_pairs)
    return similar, confirmed


def bits_apart(cosine: float) -> int:
    """Returns in how many bits two hashes differ, from the cosine of their vectors of +1 and -1."""
    return round((1 - cosine) * HASH_BITS / 2)


def alike_within_classes(embeddings: npt.NDArray[np.floating[Any]], labels: Labels, most_pairs: int) -> NearEqual:
    """Finds pairs of samples of one class whose embeddings have a cosine above ALIKE.

    Args:
        embeddings: float (N, E).
        labels: integer (N,).
        most_pairs: how many of the closest pairs are returned.
    """
    count, closest = 0, ClosestPairs.none()
    for members in classes(labels):
        directions = unit(embeddings[members])
        for start, other, cosines in pair_blocks(directions):
            cosines[cosines <= ALIKE] = -np.inf
            count += int(np.count_nonzero(cosines > -np.inf))
            found = ClosestPairs.none().joined(start, other, cosines, most_pairs)
            closest = closest.with_pairs(members[found.pairs], found.similarities, most_pairs)
    return NearEqual(count=count, closest=closest)
