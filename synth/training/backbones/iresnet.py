"""The residual network of ArcFace, to be trained."""

from __future__ import annotations

from typing import Literal

from torch import nn

from synth.networks.iresnet import DEPTHS, WIDTHS, IResNet
from synth.training.backbones.base import Backbone
from synth.training.options import within


class Iresnet(IResNet, Backbone):
    """The iResNet of ArcFace as insightface's arcface_torch trains it, with its parameter names.

    What was trained is what the recogniser `iresnet` reads, unless it has instance norms: `trained` reads those too.
    Weights start as there: convolutions N(0, 0.1), the rest as torch has it; the factors of the last normalisation
    stay 1.

    Args:
        depth: layers: 18, 34, 50, 100 or 200.
        width: channels of the first stage; each next one has twice as many.
        dropout: share of the last map's numbers that training drops, 0..1.
        embedding_size: E; the recogniser takes 512.
        instance_norms: stages from the first on whose blocks normalise half of their inner maps for each image by
            itself, 0..4: what differs between renders and photos in light and texture weighs less then.
    """

    input_size: int = 112

    def __init__(
        self,
        *,
        depth: Literal[18, 34, 50, 100, 200] = 18,
        width: int = 64,
        dropout: float = 0.0,
        embedding_size: int = 512,
        instance_norms: int = 0,
    ) -> None:
        if f"iresnet{depth}" not in DEPTHS:
            raise ValueError(f"depth {depth}: expected one of {', '.join(name[7:] for name in DEPTHS)}")
        if width < 1 or embedding_size < 1:
            raise ValueError(f"width {width}, embedding_size {embedding_size}: expected at least 1")
        stages = len(WIDTHS)
        if not 0 <= instance_norms <= stages or (instance_norms and width < 2):
            raise ValueError(f"instance_norms {instance_norms}: expected 0 to {stages}, of a width of at least 2")
        super().__init__(
            DEPTHS[f"iresnet{depth}"],
            [width * 2**stage for stage in range(stages)],
            stem=width,
            embedding_size=embedding_size,
            dropout=within("dropout", dropout, 0, 1),
            instance_norms=instance_norms,
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=0.1)
        self.features.weight.requires_grad_(False)
