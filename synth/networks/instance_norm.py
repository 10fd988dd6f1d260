"""Normalisation that takes an image's own look out of half of its maps."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class InstanceBatchNorm(nn.Module):
    """Instance normalisation of the first half of the channels, batch normalisation of the others.

    Pan, Luo, Shi and Tang (2018), "Two at Once: Enhancing Learning and Generalization Capacities via IBN-Net": the
    first half loses each image's own brightness and contrast, in which renders differ from photos; the other half
    keeps them. For early layers, that see textures and colours.

    Args:
        width: channels, at least 2.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.instance = nn.InstanceNorm2d(width // 2, affine=True)
        self.batch = nn.BatchNorm2d(width - width // 2)

    def forward(self, hidden: Tensor) -> Tensor:
        """Normalises maps (B, C, H, W)."""
        half = self.instance.num_features
        return torch.cat([self.instance(hidden[:, :half]), self.batch(hidden[:, half:])], dim=1)
