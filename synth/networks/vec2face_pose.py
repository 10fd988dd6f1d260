"""The network of Vec2Face+ that turns a picture of five landmarks into one token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor, nn
from torch.nn import functional

from synth.weights.checkpoints import built_from, read_checkpoint, tensors_of

_SIDE = 7  # px, of the map after four halvings of 112 px


class PoseCondition(nn.Module):
    """Four convolutions that halve the side, then one linear layer over the whole map.

    Wu, Singh, Tian, Zheng and Bowyer (2025), "Vec2Face+ for Face Dataset Generation".

    Args:
        widths: channels of the four convolutions.
        token: C, numbers of the token.
    """

    def __init__(self, widths: Sequence[int], token: int) -> None:
        super().__init__()
        first, second, third, fourth = widths
        self.conv1 = nn.Conv2d(3, first, 3, stride=2, padding=1)
        self.conv2 = nn.Conv2d(first, second, 3, stride=2, padding=1)
        self.conv3 = nn.Conv2d(second, third, 3, stride=2, padding=1)
        self.conv4 = nn.Conv2d(third, fourth, 3, stride=2, padding=1)
        self.linear = nn.Linear(fourth * _SIDE**2, token)

    def forward(self, pictures: Tensor) -> Tensor:
        """Maps pictures of landmarks, (B, 3, 112, 112), RGB, -1..1, to tokens (B, 1, C)."""
        hidden = pictures
        for convolution in (self.conv1, self.conv2, self.conv3, self.conv4):
            hidden = functional.relu(convolution(hidden))
        # The linear layer was trained on channels-first maps; with channels last, flatten copies into that order.
        token: Tensor = self.linear(hidden.flatten(1))
        return token.unsqueeze(1)


def pose_condition_for(tensors: Mapping[str, Tensor]) -> PoseCondition:
    """Returns an untrained network of the widths that a checkpoint's tensors have.

    Raises:
        KeyError: a name that tells a width is missing.
    """
    widths = [len(tensors[f"conv{number}.weight"]) for number in range(1, 5)]
    return PoseCondition(widths, len(tensors["linear.weight"]))


def load_pose_condition(path: Path) -> PoseCondition:
    """Reads the pose network out of `pose_model.pth`; it is in evaluation mode, float32, on the CPU.

    Args:
        path: a checkpoint that holds it under 'pose_model' or holds nothing else.

    Raises:
        WeightsError: the file is missing, damaged or without a pose network.
    """
    tensors = tensors_of(read_checkpoint(path), path, under="pose_model")
    return built_from(tensors, path, pose_condition_for, expected="pose_model.pth holds a pose network")
