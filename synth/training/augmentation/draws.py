"""The random numbers of one batch, by name: switching one change on or off disturbs no other."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor


class Draws:
    """Random numbers for the images of one step.

    Each name has a stream of its own that follows from seed, step and rank, so a training that is resumed sees the
    same pictures, on any device.

    Args:
        count: B.
        seed: of the training.
        step: which batch.
        rank: which of the trainers that share a step.
    """

    def __init__(self, count: int, seed: int, step: int, rank: int = 0) -> None:
        self.count = count
        self._key = (seed, step, rank)

    def uniform(self, name: str, *shape: int) -> Tensor:
        """Returns float32 (B, *shape), 0..1, on the CPU."""
        return torch.rand(self.count, *shape, generator=self._generator(name))

    def normal_images(self, name: str, rows: Tensor, images: Tensor) -> Tensor:
        """Returns standard normal noise for some of the images.

        It is one picture of noise, shifted round for each image by a random step of its own: a CPU draws no more
        numbers than one image has, however many get noise.

        Args:
            name: of the stream.
            rows: int64 (n,), on the CPU.
            images: (n, C, H, W), what the noise is for.

        Returns:
            Like the images, beside them.
        """
        height, width = images.shape[2:]
        noise = beside(images, torch.randn(tuple(images.shape[1:]), generator=self._generator(name)))
        down, right = (
            (self.uniform(f"{name} {way}")[rows, None] * side).long() + torch.arange(side)
            for way, side in (("down", height), ("right", width))
        )
        y, x = (beside(images, steps, dtype=torch.int64) for steps in (down % height, right % width))
        return noise[:, y[:, :, None], x[:, None, :]].transpose(0, 1)

    def around(self, name: str, most: float) -> Tensor:
        """Returns float32 (B,), -most..most."""
        return (2 * self.uniform(name) - 1) * most

    def chosen(self, name: str, probability: float) -> Tensor:
        """Returns bool (B,): which images a change happens to."""
        return self.uniform(f"whether {name}") < probability

    def seed(self, name: str) -> int:
        """Returns the seed of a stream, 0 .. 2**63 - 1."""
        text = "/".join([name, *map(str, self._key)]).encode()
        return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little") >> 1

    def _generator(self, name: str) -> torch.Generator:
        return torch.Generator().manual_seed(self.seed(name))


def beside(images: Tensor, drawn: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    """Brings what was drawn to the images' device without waiting for what that device is at work on.

    Args:
        images: floating, on any device.
        drawn: on the CPU.
        dtype: of the result; None: that of the images.
    """
    return drawn.to(images.device, dtype or images.dtype, non_blocking=True)
