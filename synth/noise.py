"""Random numbers that follow from a sample's seed alone, made for a whole batch at once on its device.

Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", section 3.3) maps a
counter and a key to four 32-bit words. The key is the sample's seed and the counter says which number of which
stream is wanted, so no number depends on the batch or on what was drawn before. Words and uniform numbers are the
same on every device; what is computed of them is so up to rounding.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

_ROUNDS: Final = 10
_MULTIPLIERS: Final = (0xD2511F53, 0xCD9E8D57)
_WEYL: Final = (0x9E3779B9, 0xBB67AE85)
_MASK: Final = 0xFFFFFFFF


def seeds_to(seeds: npt.NDArray[np.uint64], device: torch.device) -> torch.Tensor:
    """Returns seeds, uint64 (B,), below 2**63, as int64 (B,) on a device."""
    return torch.from_numpy(seeds.astype(np.int64)).to(device)


def uniform(seeds: torch.Tensor, stream: int, shape: tuple[int, ...]) -> torch.Tensor:
    """Returns float32 (B, *shape) in 0 <= x < 1, multiples of 2**-24.

    Args:
        seeds: int64 (B,), >= 0.
        stream: 0 <= stream < 2**32; streams of one seed share no numbers.
        shape: of one sample.
    """
    return (_words(seeds, stream, math.prod(shape)) >> 8).to(torch.float32).mul_(2.0**-24).view(len(seeds), *shape)


def normal(seeds: torch.Tensor, stream: int, shape: tuple[int, ...]) -> torch.Tensor:
    """Returns standard-normal float32 (B, *shape), |x| < 5.8, of `uniform` numbers by Box and Muller (1958).

    Args:
        seeds: int64 (B,), >= 0.
        stream: 0 <= stream < 2**32; streams of one seed share no numbers.
        shape: of one sample.
    """
    count = math.prod(shape)
    pairs = -(-count // 2)
    words = _words(seeds, stream, 2 * pairs) >> 8
    first, second = words[:, :pairs].to(torch.float32), words[:, pairs:].to(torch.float32)
    radius = torch.sqrt(-2 * torch.log((first + 1) * 2.0**-24))  # 0 < argument <= 1
    angle = second * (2 * math.pi * 2.0**-24)
    values = torch.cat([radius * torch.cos(angle), radius * torch.sin(angle)], dim=1)
    return values[:, :count].reshape(len(seeds), *shape)


def truncated_normal(
    seeds: torch.Tensor, stream: int, *, mean: float, spread: float, least: float, most: float
) -> torch.Tensor:
    """Returns one number a seed of a normal distribution that is cut off at both ends, by its inverse distribution.

    Args:
        seeds: int64 (B,), >= 0.
        stream: 0 <= stream < 2**32; streams of one seed share no numbers.
        mean: before it is cut.
        spread: standard deviation before it is cut, > 0.
        least: smallest number.
        most: largest number.

    Returns:
        float32 (B,).
    """
    limits = torch.tensor([least, most], dtype=torch.float64, device=seeds.device)
    low, high = torch.special.ndtr((limits - mean) / spread)
    share = uniform(seeds, stream, (1,))[:, 0].to(torch.float64)
    numbers = mean + spread * torch.special.ndtri(low + share * (high - low))
    cut: torch.Tensor = numbers.clamp(least, most).to(torch.float32)
    return cut


def _words(seeds: torch.Tensor, stream: int, count: int) -> torch.Tensor:
    """Returns the first `count` 32-bit words of a stream of each seed, int64 (B, count)."""
    if not 0 <= stream <= _MASK:
        raise ValueError(f"stream {stream}: expected 0 <= stream < 2**32")
    blocks = -(-count // 4)
    counter = torch.arange(blocks, dtype=torch.int64, device=seeds.device).expand(len(seeds), blocks)
    constant = torch.full_like(counter, stream)
    zeros = torch.zeros_like(counter)
    words = philox((counter, constant, zeros, zeros), (seeds[:, None] & _MASK, seeds[:, None] >> 32))
    return torch.stack(words, dim=-1).view(len(seeds), 4 * blocks)[:, :count]


def philox(
    counter: tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor], key: tuple[torch.Tensor, torch.Tensor]
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Returns four 32-bit words of a counter and a key.

    Args:
        counter: four int64 tensors of one shape, each 0 <= x < 2**32.
        key: two int64 tensors that broadcast with them, each 0 <= x < 2**32.
    """
    a, b, c, d = counter
    low, high = key
    for _ in range(_ROUNDS):
        # The product of two 32-bit numbers wraps within int64 but keeps all its 64 bits.
        first, second = a * _MULTIPLIERS[0], c * _MULTIPLIERS[1]
        a, b, c, d = (
            ((second >> 32) & _MASK) ^ b ^ low,
            second & _MASK,
            ((first >> 32) & _MASK) ^ d ^ high,
            first & _MASK,
        )
        low, high = (low + _WEYL[0]) & _MASK, (high + _WEYL[1]) & _MASK
    return a, b, c, d
