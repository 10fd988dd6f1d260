"""A small backbone for CPUs."""

from __future__ import annotations

from typing import Final

from torch import Tensor, nn

from synth.training.backbones.base import Backbone

_HALVINGS: Final = 4


class Small(Backbone):
    """Seven convolutions of 3x3 px, for training on a CPU: 698 thousand parameters by default.

    Convolution, batch normalisation and PReLU each; sides halve four times (56, 28, 14, 7, 4 px), channels double
    twice, and what keeps its shape is added to its input. One linear layer over the last map, place by place, and a
    normalisation without parameters end it: embeddings have a length near the root of E.

    Args:
        width: channels of the first convolutions.
        input_size: side of the faces, px, at least 16.
        embedding_size: E.
    """

    def __init__(self, *, width: int = 32, input_size: int = 56, embedding_size: int = 128) -> None:
        super().__init__()
        if width < 1 or embedding_size < 1:
            raise ValueError(f"width {width}, embedding_size {embedding_size}: expected at least 1")
        if input_size < 2**_HALVINGS:
            raise ValueError(f"input_size {input_size}: expected at least {2**_HALVINGS} px, the side halves 4 times")
        self.input_size = input_size
        self.embedding_size = embedding_size
        last = 4 * width
        self.maps = nn.Sequential(
            _convolution(3, width, stride=2),
            _Added(_convolution(width, width)),
            _convolution(width, 2 * width, stride=2),
            _Added(_convolution(2 * width, 2 * width)),
            _convolution(2 * width, last, stride=2),
            _Added(_convolution(last, last)),
            _convolution(last, last, stride=2),
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


def _convolution(inputs: int, width: int, *, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, width, 3, stride=stride, padding=1, bias=False)
    nn.init.kaiming_normal_(convolution.weight, a=0.25, mode="fan_out")  # 0.25: where PReLU starts
    return nn.Sequential(convolution, nn.BatchNorm2d(width), nn.PReLU(width))
