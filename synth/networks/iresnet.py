"""The residual network of ArcFace (iResNet), with the parameter names of insightface's checkpoints."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Final

import torch
from torch import Tensor, nn

from synth.networks.instance_norm import InstanceBatchNorm
from synth.weights.checkpoints import built_from, depth_of, read_checkpoint, tensors_of

DEPTHS: Final[Mapping[str, tuple[int, int, int, int]]] = {
    "iresnet18": (2, 2, 2, 2),
    "iresnet34": (3, 4, 6, 3),
    "iresnet50": (3, 4, 14, 3),
    "iresnet100": (3, 13, 30, 3),
    "iresnet200": (6, 26, 60, 6),
}
"""Residual blocks of the four stages, of each published depth."""

WIDTHS: Final = (64, 128, 256, 512)
"""Channels of the four stages, of all published depths."""

_MAP_SIDE: Final = 7  # px, side of the last map of a 112x112 face


class IResNet(nn.Module):
    """Embeds aligned faces, as ArcFace, MagFace and ElasticFace do.

    The network of Deng, Guo, Xue and Zafeiriou (2019), "ArcFace: Additive Angular Margin Loss for Deep Face
    Recognition", as insightface publishes it. A block is normalisation, convolution, normalisation, PReLU, convolution,
    normalisation, added to its input; four stages halve the side each; one linear layer between two normalisations
    ends it.

    Args:
        depths: residual blocks of the four stages.
        widths: channels of the four stages.
        stem: channels of the first convolution.
        embedding_size: E.
        dropout: share of the last map's numbers that training drops, 0..1.
        instance_norms: stages from the first on whose blocks normalise half of the maps between their convolutions for
            each image by itself, 0..4: "IBN-a" of Pan et al. (2018), who do so in the first three. No published
            checkpoint has it, and the names of the statistics are our own then.
    """

    takes_bgr: ClassVar[bool] = False

    def __init__(
        self,
        depths: Sequence[int],
        widths: Sequence[int] = WIDTHS,
        *,
        stem: int = WIDTHS[0],
        embedding_size: int = 512,
        dropout: float = 0.0,
        instance_norms: int = 0,
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, stem, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(stem)
        self.prelu = nn.PReLU(stem)
        inputs = [stem, *widths[:-1]]
        norms = [InstanceBatchNorm] * instance_norms + [nn.BatchNorm2d] * (len(widths) - instance_norms)
        self.layer1, self.layer2, self.layer3, self.layer4 = itertools.starmap(
            _stage, zip(depths, inputs, widths, norms, strict=True)
        )
        self.bn2 = nn.BatchNorm2d(widths[-1])
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(widths[-1] * _MAP_SIDE**2, embedding_size)
        self.features = nn.BatchNorm1d(embedding_size)
        self.embedding_size = embedding_size

    def forward(self, faces: Tensor) -> Tensor:
        """Embeds aligned faces.

        Args:
            faces: (B, 3, 112, 112), RGB, -1..1, in the dtype of the convolutions.

        Returns:
            (B, E) in the dtype of `fc`, of any length: not divided by their norm.
        """
        hidden = self.prelu(self.bn1(self.conv1(faces)))
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            hidden = stage(hidden)
        hidden = self.dropout(self.bn2(hidden).flatten(1))
        with torch.autocast(hidden.device.type, enabled=False):  # the end keeps float32 in mixed-precision training
            embeddings: Tensor = self.features(self.fc(hidden.to(self.fc.weight.dtype)))
        return embeddings

    def set_precision(self, dtype: torch.dtype) -> None:
        """Computes the convolutions in `dtype`; the last two layers stay in float32, as in mixed-precision training."""
        self.to(dtype)
        self.fc.float()
        self.features.float()


class _Block(nn.Module):
    """One residual block; the first of a stage halves the side and brings its input to the same shape."""

    def __init__(self, inputs: int, width: int, norm: Callable[[int], nn.Module], stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, width, 3, padding=1, bias=False)
        self.bn2 = norm(width)
        self.prelu = nn.PReLU(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(width)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, width, 1, stride=stride, bias=False), nn.BatchNorm2d(width)
            )

    def forward(self, hidden: Tensor) -> Tensor:
        inside = self.prelu(self.bn2(self.conv1(self.bn1(hidden))))
        added: Tensor = self.bn3(self.conv2(inside)) + self.downsample(hidden)
        return added


def _stage(depth: int, inputs: int, width: int, norm: Callable[[int], nn.Module]) -> nn.Sequential:
    first = _Block(inputs, width, norm, stride=2)
    return nn.Sequential(first, *(_Block(width, width, norm, stride=1) for _ in range(depth - 1)))


def iresnet_for(tensors: Mapping[str, Tensor]) -> IResNet:
    """Returns an untrained network of the depth and width that a checkpoint's tensors have.

    Args:
        tensors: names as insightface's arcface_torch writes them.

    Raises:
        ValueError: the names that tell depth and width are not there.
    """
    stages = range(1, 5)
    firsts = [f"layer{stage}.0.conv1.weight" for stage in stages]
    missing = [name for name in ("conv1.weight", *firsts, "fc.weight") if name not in tensors]
    if missing:
        raise ValueError(f"no iResNet checkpoint, it has no {', '.join(missing)}")
    return IResNet(
        [depth_of(tensors, f"layer{stage}.") for stage in stages],
        [len(tensors[name]) for name in firsts],
        stem=len(tensors["conv1.weight"]),
        embedding_size=len(tensors["fc.weight"]),
    )


def load_iresnet(path: Path) -> IResNet:
    """Reads a checkpoint of insightface's arcface_torch or of ElasticFace; the network is in evaluation mode, float32.

    Args:
        path: .pth or .safetensors.

    Raises:
        WeightsError: the file is missing, damaged or of another network.
    """
    return built_from(tensors_of(read_checkpoint(path), path), path, iresnet_for)
