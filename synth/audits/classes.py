"""Walks over the classes of a dataset."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.integer[Any]]
Rows = npt.NDArray[np.int64]


def classes(labels: Labels) -> Iterator[Rows]:
    """Yields the rows of each class, int64, increasing, in the order of `np.unique(labels)`."""
    order = np.argsort(labels, kind="stable")
    starts = np.unique(labels[order], return_index=True)[1]
    yield from np.split(order, starts[1:]) if len(labels) else []


def draw_classes(labels: Labels, most_samples: int, seed: int) -> npt.NDArray[np.int64]:
    """Draws whole classes until their samples are about as many as wanted.

    Args:
        labels: integer (N,).
        most_samples: that the drawn classes have together; one class is drawn whatever its size.
        seed: of the draw.

    Returns:
        int64 (C,), increasing; all classes where they have no more samples.
    """
    names, sizes = np.unique(labels, return_counts=True)
    if len(labels) <= most_samples:
        return names.astype(np.int64)
    order = np.random.default_rng(seed).permutation(len(names))
    fitting = int(np.searchsorted(np.cumsum(sizes[order]), most_samples, side="right"))
    return np.sort(names[order[: max(fitting, 1)]]).astype(np.int64)
