"""Writes a small 6DRepNet checkpoint with random weights in the published layout."""

from __future__ import annotations

from pathlib import Path

import torch

from synth.networks.sixdrepnet import Convolution, SixDRepNet

STAGES = (
    (Convolution(4, 8, 1), Convolution(8, 8, 2)),
    (Convolution(8, 8, 1), Convolution(8, 8, 2)),
    (Convolution(8, 8, 1),),
    (Convolution(8, 16, 1),),
)


def write_sixdrepnet(path: Path, *, seed: int = 0) -> Path:
    """Writes a flat checkpoint of a network with two grouped convolutions and returns its path."""
    network = SixDRepNet(Convolution(3, 4, 1), STAGES)
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for value in network.parameters():
            value.normal_(std=(2 / value[0].numel()) ** 0.5 if value.ndim > 1 else 0.1, generator=random)
    torch.save(network.state_dict(), path)
    return path
