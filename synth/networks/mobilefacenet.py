"""MobileFaceNet, with the parameter names of insightface's checkpoints."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

_LAST: Final = 512  # channels of the last map
_MAP_SIDE: Final = 7  # px, side of the last map of a 112x112 face


class MobileFaceNet(nn.Module):
    """Embeds aligned faces with a small part of the work of an iResNet.

    The network of Chen, Liu, Gao and Han (2018), "MobileFaceNets: Efficient CNNs for Accurate Real-Time Face
    Verification on Mobile Devices", as insightface's arcface_torch has it: blocks widen the channels by a 1x1
    convolution, filter each by itself and narrow them again; one filter a channel over the whole last map and a linear
    layer end it. As there, the second convolution has 64 groups whatever the scale, so that at a scale of 2 it is not
    one filter a channel.

    Args:
        scale: channels, in the paper's numbers; arcface_torch's is 2.
        embedding_size: E.
    """

    def __init__(self, scale: int = 2, *, embedding_size: int = 512) -> None:
        super().__init__()
        thin, wide = 64 * scale, 128 * scale
        self.layers = nn.Sequential(
            _convolution(3, thin, 3, stride=2),
            _convolution(thin, thin, 3, groups=64),
            _Block(thin, 128, thin, stride=2),
            _Layers(*(_AddedBlock(thin, 128, thin) for _ in range(4))),
            _Block(thin, 256, wide, stride=2),
            _Layers(*(_AddedBlock(wide, 256, wide) for _ in range(6))),
            _Block(wide, 512, wide, stride=2),
            _Layers(*(_AddedBlock(wide, 256, wide) for _ in range(2))),
        )
        self.conv_sep = _convolution(wide, _LAST, 1)
        self.features = _Layers(
            _linear_convolution(_LAST, _LAST, _MAP_SIDE, padding=0, groups=_LAST),
            nn.Flatten(),
            nn.Linear(_LAST, embedding_size, bias=False),
            nn.BatchNorm1d(embedding_size),
        )
        self.embedding_size = embedding_size

    def forward(self, faces: Tensor) -> Tensor:
        """Embeds aligned faces.

        Args:
            faces: float32 (B, 3, 112, 112), RGB, -1..1.

        Returns:
            float32 (B, E), of any length: not divided by their norm.
        """
        hidden = self.layers(faces)
        with torch.autocast(hidden.device.type, enabled=False):  # the end keeps float32 in mixed-precision training
            embeddings: Tensor = self.features(self.conv_sep(hidden.float()))
        return embeddings


class _Layers(nn.Module):
    """Layers one after another; their names start with 'layers', as those of the checkpoints do."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, hidden: Tensor) -> Tensor:
        passed: Tensor = self.layers(hidden)
        return passed


class _Block(_Layers):
    """Widens the channels, filters each by itself, narrows them."""

    def __init__(self, inputs: int, inside: int, outputs: int, *, stride: int = 1) -> None:
        super().__init__(
            _convolution(inputs, inside, 1),
            _convolution(inside, inside, 3, stride=stride, groups=inside),
            _linear_convolution(inside, outputs, 1),
        )


class _AddedBlock(_Block):
    """A block that is added to its input."""

    def forward(self, hidden: Tensor) -> Tensor:
        return hidden + super().forward(hidden)


def _convolution(inputs: int, outputs: int, side: int, *, stride: int = 1, groups: int = 1) -> _Layers:
    linear = _linear_convolution(inputs, outputs, side, stride=stride, padding=side // 2, groups=groups)
    return _Layers(*linear.layers, nn.PReLU(outputs))


def _linear_convolution(
    inputs: int, outputs: int, side: int, *, stride: int = 1, padding: int = 0, groups: int = 1
) -> _Layers:
    convolution = nn.Conv2d(inputs, outputs, side, stride=stride, padding=padding, groups=groups, bias=False)
    return _Layers(convolution, nn.BatchNorm2d(outputs))
