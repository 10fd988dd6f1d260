"""6DRepNet, which estimates how a head is turned, in the fused form its authors publish."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from synth.weights.checkpoints import built_from, depth_of, read_checkpoint, tensors_of

_STAGES: Final = range(1, 5)
_SMALL: Final = 1e-8


@dataclass(frozen=True, slots=True)
class Convolution:
    """One convolution of the backbone.

    Attributes:
        inputs: channels it takes.
        outputs: channels it gives.
        groups: the channels are split into so many parts that do not see each other.
    """

    inputs: int
    outputs: int
    groups: int


class SixDRepNet(nn.Module):
    """Estimates head poses: a RepVGG backbone and six numbers that span a rotation.

    Hempel, Abdelrahman and Al-Hamadi (2022), "6D Rotation Representation for Unconstrained Head Pose Estimation",
    with the backbone of Ding et al. (2021), "RepVGG: Making VGG-style ConvNets Great Again", each block fused into
    one convolution.

    Args:
        stem: the first convolution.
        stages: convolutions of the four stages; the first of each stage halves the side, as the stem does.
    """

    def __init__(self, stem: Convolution, stages: Sequence[Sequence[Convolution]]) -> None:
        super().__init__()
        self.layer0 = FusedBlock(stem, stride=2)
        self.layer1, self.layer2, self.layer3, self.layer4 = (
            nn.Sequential(*(FusedBlock(c, stride=2 if i == 0 else 1) for i, c in enumerate(stage))) for stage in stages
        )
        self.linear_reg = nn.Linear(stages[-1][-1].outputs, 6)

    def forward(self, faces: Tensor) -> Tensor:
        """Maps faces (B, 3, H, W) to rotation matrices (B, 3, 3).

        Vec2Face feeds it BGR, 0..1, 112 px, without the normalisation that it was trained with.
        """
        hidden = self.layer0(faces)
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            hidden = stage(hidden)
        # A plain mean, not a pooling layer: those have no deterministic gradient on CUDA.
        return _rotations(self.linear_reg(hidden.mean(dim=(2, 3))))


class FusedBlock(nn.Module):
    """A RepVGG block in its fused form: one convolution and a ReLU."""

    def __init__(self, convolution: Convolution, stride: int) -> None:
        super().__init__()
        self.rbr_reparam = nn.Conv2d(
            convolution.inputs, convolution.outputs, 3, stride=stride, padding=1, groups=convolution.groups
        )

    def forward(self, hidden: Tensor) -> Tensor:
        """Maps (B, C, H, W) to (B, C', H / stride, W / stride)."""
        return functional.relu(self.rbr_reparam(hidden))


def yaw_degrees(rotations: Tensor) -> Tensor:
    """Returns how far each head is turned to a side, (B,), -90..90 degrees.

    The second of the Euler angles that 6DRepNet's code computes: atan2(-R20, sqrt(R00^2 + R10^2)).

    Args:
        rotations: (B, 3, 3).
    """
    level = rotations[:, 0, 0].square() + rotations[:, 1, 0].square()
    # A head turned by exactly 90 degrees has level = 0, where the root has no slope.
    return torch.rad2deg(torch.atan2(-rotations[:, 2, 0], level.clamp(min=_SMALL**2).sqrt()))


def sixdrepnet_for(tensors: Mapping[str, Tensor]) -> SixDRepNet:
    """Returns an untrained network of the depth, widths and groups that a checkpoint's tensors have.

    Raises:
        KeyError: a name that tells a width is missing.
    """
    stem = _convolution(tensors["layer0.rbr_reparam.weight"], inputs=3)
    stages: list[list[Convolution]] = []
    inputs = stem.outputs
    for stage in _STAGES:
        names = [f"layer{stage}.{i}.rbr_reparam.weight" for i in range(max(1, depth_of(tensors, f"layer{stage}.")))]
        convolutions = []
        for name in names:
            convolutions.append(_convolution(tensors[name], inputs))
            inputs = convolutions[-1].outputs
        stages.append(convolutions)
    return SixDRepNet(stem, stages)


def load_sixdrepnet(path: Path) -> SixDRepNet:
    """Reads a checkpoint of 6DRepNet; the network is in evaluation mode, float32, on the CPU.

    Args:
        path: .pth or .safetensors, of the fused form.

    Raises:
        WeightsError: the file is missing, damaged or of another network.
    """
    tensors = tensors_of(read_checkpoint(path), path)
    return built_from(tensors, path, sixdrepnet_for, expected="expected a checkpoint of 6DRepNet in the fused form")


def _rotations(six: Tensor) -> Tensor:
    """Makes rotations of six numbers each, (B, 6) to (B, 3, 3): the columns are x, z cross x and z.

    Zhou et al. (2019), "On the Continuity of Rotation Representations in Neural Networks", section B of the appendix.
    """
    x = functional.normalize(six[:, :3], dim=1, eps=_SMALL)
    z = functional.normalize(torch.linalg.cross(x, six[:, 3:]), dim=1, eps=_SMALL)
    return torch.stack([x, torch.linalg.cross(z, x), z], dim=2)


def _convolution(weight: Tensor, inputs: int) -> Convolution:
    return Convolution(inputs, len(weight), max(1, inputs // weight.shape[1]))
