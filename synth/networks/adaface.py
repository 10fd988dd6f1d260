"""The residual network of AdaFace (IR-50, IR-101), with the parameter names of its published checkpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

import torch
from torch import Tensor, nn

_STAGES: Final = 4
_MAP_SIDE: Final = 7  # px, side of the last map of a 112x112 face
_LINEAR: Final = "output_layer.3.weight"


class AdaFace(nn.Module):
    """Embeds aligned faces as AdaFace does.

    The network of Kim, Jain and Liu (2022), "AdaFace: Quality Adaptive Margin for Face Recognition", as its authors
    publish it. It differs from `IResNet` in names, in the shortcut of the first stage, which only drops pixels, and
    in the order of colours.

    Args:
        depths: residual blocks of the four stages.
        widths: channels of the four stages; the first is also that of the first convolution.
        embedding_size: E.
    """

    takes_bgr: ClassVar[bool] = True

    def __init__(self, depths: Sequence[int], widths: Sequence[int], *, embedding_size: int = 512) -> None:
        super().__init__()
        stem, last = widths[0], widths[-1]
        self.input_layer = nn.Sequential(
            nn.Conv2d(3, stem, 3, padding=1, bias=False), nn.BatchNorm2d(stem), nn.PReLU(stem)
        )
        blocks: list[_Block] = []
        inputs = stem
        for depth, width in zip(depths, widths, strict=True):
            blocks.append(_Block(inputs, width, stride=2))
            blocks += [_Block(width, width, stride=1) for _ in range(depth - 1)]
            inputs = width
        self.body = nn.Sequential(*blocks)
        self.output_layer = nn.Sequential(
            nn.BatchNorm2d(last),
            nn.Dropout(0.4),
            nn.Flatten(),
            nn.Linear(last * _MAP_SIDE**2, embedding_size),
            nn.BatchNorm1d(embedding_size, affine=False),
        )
        self.embedding_size = embedding_size

    def forward(self, faces: Tensor) -> Tensor:
        """Embeds aligned faces.

        Args:
            faces: (B, 3, 112, 112), BGR, -1..1, in the dtype of the convolutions.

        Returns:
            (B, E) in the dtype of the linear layer, of any length: not divided by their norm.
        """
        norm, dropout, flatten, linear, last = self.output_layer
        hidden = flatten(dropout(norm(self.body(self.input_layer(faces)))))
        embeddings: Tensor = last(linear(hidden.to(linear.weight.dtype)))
        return embeddings

    def set_precision(self, dtype: torch.dtype) -> None:
        """Computes the convolutions in `dtype`; the last two layers stay in float32."""
        self.to(dtype)
        self.output_layer[3:].float()


class _Block(nn.Module):
    """One residual block; with a stride it halves the side."""

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.shortcut_layer: nn.Module = nn.MaxPool2d(1, stride)
        if inputs != width:
            self.shortcut_layer = nn.Sequential(
                nn.Conv2d(inputs, width, 1, stride=stride, bias=False), nn.BatchNorm2d(width)
            )
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(inputs),
            nn.Conv2d(inputs, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.PReLU(width),
            nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, hidden: Tensor) -> Tensor:
        added: Tensor = self.res_layer(hidden) + self.shortcut_layer(hidden)
        return added


def adaface_for(tensors: Mapping[str, Tensor]) -> AdaFace:
    """Returns an untrained network of the depth and width that a checkpoint's tensors have.

    Args:
        tensors: names as AdaFace's authors write them, without 'model.'.

    Raises:
        ValueError: the names that tell depth and width are not there.
    """
    names = "body.{}.res_layer.1.weight"
    count = 0
    widths: list[int] = []
    starts: list[int] = []
    while names.format(count) in tensors:
        if count == 0 or f"body.{count}.shortcut_layer.0.weight" in tensors:
            starts.append(count)
            widths.append(len(tensors[names.format(count)]))
        count += 1
    if len(starts) != _STAGES or _LINEAR not in tensors:
        raise ValueError(f"no AdaFace checkpoint, it has {len(starts)} stages of blocks instead of {_STAGES}")
    ends = [*starts[1:], count]
    depths = [end - start for start, end in zip(starts, ends, strict=True)]
    return AdaFace(depths, widths, embedding_size=len(tensors[_LINEAR]))
