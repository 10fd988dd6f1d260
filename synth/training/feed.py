"""Feeds exported shards to a trainer: uint8 batches in an order that follows from seed and step alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from synth.errors import ConfigError, ShardError
from synth.shards.dataset import DatasetReader
from synth.training.order import Rows, balanced, shuffled
from synth.training.rows import decode_row, row_size

Batch = tuple[Tensor, Tensor]

_RAISED: Final = f"{ShardError.__module__}.{ShardError.__name__}: "  # before the message, in a traceback


class FaceFeed(IterableDataset[Batch]):
    """Batches of an exported dataset without end, each of a step: images uint8 (B, H, W, 3) RGB and labels int64 (B,).

    An epoch is a shuffle of all samples cut into batches; what does not fill one is left out. Which samples a step
    gets follows from the seed and the step, so it is the same for any number of workers, and training goes on in the
    middle of an epoch by naming the step. Have a `DataLoader` run it in several processes:

        loader = DataLoader(FaceFeed("runs/demo/dataset", batch_size=256), batch_size=None, num_workers=4)
        for images, labels in loader: ...

    Images come undecorated, as pixels: mirror, scale and augment them on the device, for the whole batch at once.

    Args:
        dataset: folder of WebDataset tars, or a reader of one.
        batch_size: B.
        seed: of the order.
        images_per_label: None shuffles all samples; K makes identity-balanced batches: every identity comes equally
            often, with K images at a time.
        first_step: where to begin, 0 unless training is resumed.
        rank: which of `num_ranks` trainers this is; together they see one batch of num_ranks * B.
        num_ranks: trainers that share the work.
        rows: int64 (N,), of the samples to feed; None feeds all. With `labels`.
        labels: int64 (N,), of these rows, 0..C-1 without gaps; None takes the dataset's.

    Raises:
        ShardError: as `DatasetReader`, or an image cannot be decoded or has another size; while it is read.
        ConfigError: the dataset is smaller than a batch, or `images_per_label` fits neither batch nor labels.
    """

    def __init__(
        self,
        dataset: str | Path | DatasetReader,
        batch_size: int,
        *,
        seed: int = 0,
        images_per_label: int | None = None,
        first_step: int = 0,
        rank: int = 0,
        num_ranks: int = 1,
        rows: Rows | None = None,
        labels: npt.NDArray[np.int64] | None = None,
    ) -> None:
        super().__init__()
        self._reader = dataset if isinstance(dataset, DatasetReader) else DatasetReader(Path(dataset))
        self._rows = np.arange(len(self._reader)) if rows is None else rows
        self._labels = self._reader.labels[self._rows] if labels is None else labels
        self.batch_size = batch_size
        self._seed = seed
        self._images_per_label = images_per_label
        self._first_step = first_step
        self._rank, self._num_ranks = rank, num_ranks
        self.steps_per_epoch = self._epoch_size() // (batch_size * num_ranks)
        self._check()
        self._size = row_size(self._reader, int(self._rows[0]))

    def __iter__(self) -> Iterator[Batch]:
        """Yields the batches of this worker's steps, from `first_step` on."""
        worker = get_worker_info()
        step, stride = self._first_step, 1
        if worker is not None:  # the loader takes its workers' batches in turn, so together they are in order
            step, stride = step + worker.id, worker.num_workers
        epoch, order = -1, self._rows
        while True:
            if step // self.steps_per_epoch != epoch:
                epoch = step // self.steps_per_epoch
                order = self._order(epoch)
            yield self._batch(order, step % self.steps_per_epoch)
            step += stride

    def _epoch_size(self) -> int:
        if self._images_per_label is None:
            return len(self._rows)
        return len(self._rows) // self._images_per_label * self._images_per_label

    def _check(self) -> None:
        if self.steps_per_epoch < 1:
            raise ConfigError(
                f"{self._reader.folder}: {len(self._rows)} images do not fill a batch of {self.batch_size} on "
                f"{self._num_ranks} devices; lower batch_size or make more images"
            )
        group = self._images_per_label
        if group is None:
            return
        smallest = int(np.bincount(self._labels).min())
        if group < 1 or self.batch_size % group:
            raise ConfigError(f"images_per_label {group}: a batch of {self.batch_size} is no multiple of it")
        if smallest < group:
            raise ConfigError(
                f"{self._reader.folder}: an identity has {smallest} images, images_per_label asks for {group}; "
                "lower it, or raise selection.min_images_per_identity in the run"
            )

    def _order(self, epoch: int) -> Rows:
        """Returns positions into the rows, in the order of an epoch."""
        if self._images_per_label is None:
            return shuffled(len(self._rows), self._seed, epoch)
        return balanced(self._labels, self._images_per_label, self._seed, epoch)

    def _batch(self, order: Rows, number: int) -> Batch:
        start = (number * self._num_ranks + self._rank) * self.batch_size
        chosen = order[start : start + self.batch_size]
        images = _shared_images(len(chosen), *self._size)
        for image, row in zip(images.numpy(), self._rows[chosen].tolist(), strict=True):
            decode_row(self._reader, row, image)
        return images, torch.from_numpy(self._labels[chosen])


def load(feed: FaceFeed, num_workers: int, *, pin: bool = False) -> Iterator[Batch]:
    """Yields the batches of a feed, read ahead by other processes.

    Args:
        feed: what to read.
        num_workers: processes; 0 reads in this one.
        pin: into memory that a GPU copies from without waiting.

    Raises:
        ShardError: an image cannot be read.
    """
    loader = DataLoader(feed, batch_size=None, num_workers=num_workers, pin_memory=pin)
    try:
        yield from loader
    except ShardError as error:  # of another process, the loader puts the traceback of there into the message
        raise ShardError(str(error).rstrip().rpartition(_RAISED)[2]) from error


def _shared_images(count: int, height: int, width: int) -> Tensor:
    """Returns an uninitialised uint8 (count, height, width, 3); in a worker, in memory that its trainer sees as well.

    A worker's batch would else be copied there once more.
    """
    shape = count, height, width, 3
    if get_worker_info() is None:
        return torch.empty(shape, dtype=torch.uint8)
    storage = torch.UntypedStorage._new_shared(count * height * width * 3)  # type: ignore[no-untyped-call]
    images: Tensor = torch.empty(0, dtype=torch.uint8).set_(storage, 0, shape)  # type: ignore[call-overload]
    return images
