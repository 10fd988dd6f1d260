"""Which identities are trained on, and which are held out to choose the checkpoint."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synth.errors import ConfigError
from synth.shards.dataset import DatasetReader
from synth.training.order import Rows, shuffled

_STREAM = 1 << 32  # of the seed: apart from the orders of the epochs


@dataclass(frozen=True, slots=True)
class Part:
    """Some identities of a dataset.

    Attributes:
        rows: int64 (N,), of the dataset.
        labels: int64 (N,), 0..C-1 within this part.
    """

    rows: Rows
    labels: npt.NDArray[np.int64]

    @property
    def num_labels(self) -> int:
        """C."""
        return int(self.labels.max()) + 1


def split(dataset: DatasetReader, held_out: int, min_images: int, seed: int) -> tuple[Part, Part]:
    """Splits a dataset by identities, at random, into what is trained on and what is held out.

    Args:
        dataset: to be split.
        held_out: identities that are never trained on.
        min_images: images an identity must have.
        seed: of the choice.

    Raises:
        ConfigError: too few identities, or some have too few images; the held-out ones must give pairs of one
            identity and of two.
    """
    counts = np.bincount(dataset.labels)
    if counts.min() < min_images:
        raise ConfigError(
            f"{dataset.folder}: {np.count_nonzero(counts < min_images)} identities have fewer than {min_images} images "
            f"(label {counts.argmin()} has {counts.min()}): nothing says which of their features stay the same; raise "
            "selection.min_images_per_identity in the run, or lower data.min_images_per_identity"
        )
    if not 2 <= held_out <= dataset.num_labels - 2:
        raise ConfigError(
            f"{dataset.folder}: cannot hold out {held_out} of {dataset.num_labels} identities; at least 2 are needed "
            "to choose the checkpoint and at least 2 to train on: change data.held_out_identities"
        )
    order = shuffled(dataset.num_labels, seed, _STREAM)
    if counts[order[:held_out]].max() < 2:
        raise ConfigError(
            f"{dataset.folder}: none of the {held_out} held-out identities has 2 images, so nothing tells how alike "
            "the images of one are: raise data.min_images_per_identity or data.held_out_identities"
        )
    return _part(dataset, np.sort(order[held_out:])), _part(dataset, np.sort(order[:held_out]))


def _part(dataset: DatasetReader, chosen: npt.NDArray[np.int64]) -> Part:
    new_labels = np.full(dataset.num_labels, -1, dtype=np.int64)
    new_labels[chosen] = np.arange(len(chosen))
    labels = new_labels[dataset.labels]
    rows = np.flatnonzero(labels >= 0)
    return Part(rows, labels[rows])
