"""A small backbone for CPUs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from torch import Tensor, nn

from synth.networks.instance_norm import InstanceBatchNorm
from synth.networks.prelu import ChannelPReLU
from synth.training.backbones.base import Backbone

_HALVINGS: Final = 4
_CONVOLUTIONS: Final = 7


class Small(Backbone):
    """Seven convolutions of 3x3 px, for training on a CPU: 698 thousand parameters by default.

    Convolution, batch normalisation and PReLU each; sides halve four times (56, 28, 14, 7, 4 px), channels double
    twice, and what keeps its shape is added to its input. One linear layer over the last map, place by place, and a
    normalisation without parameters end it: embeddings have a length near the root of E.

    Args:
        width: channels of the first convolutions.
        input_size: side of the faces, px, at least 16.
        embedding_size: E.
        instance_norms: convolutions from the first on whose maps are normalised for each image by itself, half of
            them: what differs between renders and photos in light and texture weighs less then. 0..7.
    """

    def __init__(
        self, *, width: int = 32, input_size: int = 56, embedding_size: int = 128, instance_norms: int = 0
    ) -> None:
        super().__init__()
        if width < 1 or embedding_size < 1:
            raise ValueError(f"width {width}, embedding_size {embedding_size}: expected at least 1")
        if input_size < 2**_HALVINGS:
            raise ValueError(f"input_size {input_size}: expected at least {2**_HALVINGS} px, the side halves 4 times")
        if not 0 <= instance_norms <= _CONVOLUTIONS or (instance_norms and width < 2):
            raise ValueError(
                f"instance_norms {instance_norms}: expected 0 to {_CONVOLUTIONS}, of a width of at least 2"
            )
        self.input_size = input_size
        self.embedding_size = embedding_size
        last = 4 * width
        norms = [InstanceBatchNorm] * instance_norms + [nn.BatchNorm2d] * (_CONVOLUTIONS - instance_norms)
        self.maps = nn.Sequential(
            _convolution(3, width, norms[0], stride=2),
            _Added(_convolution(width, width, norms[1])),
            _convolution(width, 2 * width, norms[2], stride=2),
            _Added(_convolution(2 * width, 2 * width, norms[3])),
            _convolution(2 * width, last, norms[4], stride=2),
            _Added(_convolution(last, last, norms[5])),
            _convolution(last, last, norms[6], stride=2),
        )
        side = -(-input_size // 2**_HALVINGS)
        self.linear = nn.Linear(last * side**2, embedding_size, bias=False)
        self.norm = nn.BatchNorm1d(embedding_size, affine=False)

    def forward(self, faces: Tensor) -> Tensor:
        """Embeds aligned faces: (B, 3, S, S), RGB, -1..1, to (B, E)."""
        embeddings: Tensor = self.norm(self.linear(self.maps(faces).flatten(1)).float())
        return embeddings


class _Added(nn.Module):
    """Adds its input to what a module makes of it."""

    def __init__(self, inside: nn.Module) -> None:
        super().__init__()
        self.inside = inside

    def forward(self, hidden: Tensor) -> Tensor:
        added: Tensor = hidden + self.inside(hidden)
        return added


def _convolution(inputs: int, width: int, norm: Callable[[int], nn.Module], *, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, width, 3, stride=stride, padding=1, bias=False)
    nn.init.kaiming_normal_(convolution.weight, a=0.25, mode="fan_out")  # 0.25: where PReLU starts
    return nn.Sequential(convolution, norm(width), ChannelPReLU(width))
