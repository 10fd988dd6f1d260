"""PReLU whose gradient is vectorised on CPUs."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


class ChannelPReLU(nn.PReLU):
    """PReLU with one slope a channel (He et al. 2015, equation 1), by the parameter name of torch's own.

    On a CPU torch's gradient takes a quarter to two fifths of a small network's training. With this one a step of the
    default `small` takes 0.18 instead of 0.29 s in bfloat16, and 0.35 instead of 0.37 s in float32.

    Args:
        width: channels.
    """

    def __init__(self, width: int) -> None:
        super().__init__(width)

    def forward(self, hidden: Tensor) -> Tensor:
        """Applies it to maps (B, C, H, W)."""
        slopes = self.weight.to(hidden.dtype)[:, None, None]
        activated: Tensor = _Activation.apply(hidden, slopes)  # type: ignore[no-untyped-call]
        return activated


class _Activation(torch.autograd.Function):
    """max(x, 0) + a min(x, 0).

    Without any choice between two numbers: signs of maps look random, and a processor that guesses them is wrong half
    of the time.
    """

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401
        hidden: Tensor,
        slopes: Tensor,
    ) -> Tensor:
        ctx.save_for_backward(hidden, slopes)
        return torch.addcmul(hidden.clamp(min=0), hidden.clamp(max=0), slopes)

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any,  # noqa: ANN401
        gradient: Tensor,
    ) -> tuple[Tensor, Tensor]:
        hidden, slopes = ctx.saved_tensors
        to_slopes = (gradient * hidden.clamp(max=0)).sum(dim=(0, 2, 3)).view_as(slopes)
        of_positive = torch.ops.aten.threshold_backward(gradient, hidden, 0)  # ReLU's
        return torch.addcmul(of_positive * (1 - slopes), gradient, slopes), to_slopes
