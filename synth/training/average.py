"""A running mean of a model's parameters, steadier than the last step's."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class RunningMean:
    """Exponential mean of all floating parameters and buffers (Polyak averaging with a fading memory).

    In the beginning it forgets faster, by (1 + n) / (10 + n) after n steps, so that the random start does not stay.

    Args:
        model: starts the mean.
        share: of the old in each new mean, 0..1; 0 follows the model.
    """

    def __init__(self, model: nn.Module, share: float) -> None:
        self.share = share
        self.tensors: dict[str, Tensor] = {name: value.detach().clone() for name, value in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Takes in the model after a step, 0.. ."""
        share = min(self.share, (1 + step) / (10 + step))
        for name, value in model.state_dict().items():
            if value.is_floating_point():
                self.tensors[name].lerp_(value, 1 - share)
            else:
                self.tensors[name].copy_(value)
