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

    def normal_image(self, name: str, row: int, shape: tuple[int, ...]) -> Tensor:
        """Returns standard normal float32 of a shape for one image, on the CPU: most images need none."""
        return torch.randn(shape, generator=self._generator(f"{name} of {row}"))

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
