"""MobileFaceNet, to be trained."""

from __future__ import annotations

from torch import nn

from synth.networks.mobilefacenet import MobileFaceNet
from synth.training.backbones.base import Backbone


class Mobilefacenet(MobileFaceNet, Backbone):
    """MobileFaceNet as insightface's arcface_torch trains it, with its parameter names: 2 million parameters.

    Chen, Liu, Gao and Han (2018), "MobileFaceNets: Efficient CNNs for Accurate Real-Time Face Verification on Mobile
    Devices". Weights start as He et al. (2015) draw them, by outputs.

    Args:
        scale: channels, in the paper's numbers: 2 is arcface_torch's, at least 1.
        embedding_size: E.
    """

    input_size: int = 112

    def __init__(self, *, scale: int = 2, embedding_size: int = 512) -> None:
        if scale < 1 or embedding_size < 1:
            raise ValueError(f"scale {scale}, embedding_size {embedding_size}: expected at least 1")
        super().__init__(scale, embedding_size=embedding_size)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
