"""Moving averages that heads keep over batches."""

from __future__ import annotations

import torch
from torch import Tensor


def move_towards(average: Tensor, value: Tensor, rate: float) -> None:
    """Changes a moving average in place, average (1 - rate) + value rate; a value that is not finite leaves it.

    Args:
        average: float32 scalar.
        value: floating scalar on the same device.
        rate: weight of the value, 0..1.
    """
    moved = average.lerp(value.detach().to(average.dtype), rate)
    average.copy_(torch.where(moved.isfinite(), moved, average))
