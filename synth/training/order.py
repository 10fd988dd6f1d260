"""In which order a trainer sees the samples of an epoch.

Orders come from the raw numbers of Philox (Salmon et al. 2011), which numpy promises never to change: the same seed
gives the same order with every version and number of workers.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]


def shuffled(count: int, seed: int, *stream: int) -> Rows:
    """Returns the numbers 0..count-1 in random order, int64 (count,).

    Args:
        count: how many.
        seed: 0 .. 2**64 - 1.
        stream: up to three numbers that tell one shuffle of a seed from another, like the epoch.
    """
    counter = np.array([0, *stream, *[0] * (3 - len(stream))], dtype=np.uint64)
    keys = np.random.Philox(key=seed, counter=counter).random_raw(count)
    return np.argsort(keys, kind="stable")


def balanced(labels: npt.NDArray[np.int64], images_per_label: int, seed: int, epoch: int) -> Rows:
    """Returns an epoch in which every label comes equally often, in groups of its images.

    Groups walk through the labels in rounds, each round a new shuffle; a label's groups walk through its images,
    shuffled anew each epoch, from the first again where they run out. An epoch has as many groups as fill its images.

    Args:
        labels: int64 (N,), 0..C-1, each used.
        images_per_label: size of a group; at most the images of the smallest label, so that no group has one twice.
        seed: as `shuffled`.
        epoch: 0.. .

    Returns:
        int64 (G * images_per_label,), rows; groups are adjacent.

    Raises:
        ValueError: a label has fewer images than a group.
    """
    counts = np.bincount(labels)
    if counts.min() < images_per_label:
        raise ValueError(f"label {counts.argmin()} has {counts.min()} images, fewer than {images_per_label} a group")
    mixed = shuffled(len(labels), seed, epoch, 1)
    images = mixed[np.argsort(labels[mixed], kind="stable")]  # by label, each label's images in random order
    firsts = np.cumsum(counts) - counts
    num_groups = len(labels) // images_per_label
    rounds = -(-num_groups // len(counts))
    turns = np.concatenate([shuffled(len(counts), seed, epoch, 2 + turn) for turn in range(rounds)])[:num_groups]
    walked = np.arange(num_groups) // len(counts) * images_per_label  # images that a label has given before
    places = (walked[:, None] + np.arange(images_per_label)) % counts[turns, None]
    return images[firsts[turns, None] + places].ravel()
