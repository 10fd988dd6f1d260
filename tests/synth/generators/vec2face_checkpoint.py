"""Writes Vec2Face checkpoints with random weights in the published layout, of any width."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from synth.networks.vec2face import HEADS, Vec2Face, Vec2FaceShape
from synth.networks.vec2face_image_decoder import ImageDecoder
from synth.networks.vec2face_pose import PoseCondition
from tests.synth.networks.sixdrepnet_checkpoint import write_sixdrepnet
from tests.synth.recognisers.iresnet_checkpoint import write_iresnet

TINY_HEADS = (4, 2)  # of the small checkpoint; the full one has the published `HEADS`


def write_checkpoint(path: Path, *, full_size: bool = False, seed: int = 0) -> Path:
    """Writes what `vec2face_generator.pth` and `main_model.pth` hold: {'model_vec2face': ...}.

    Args:
        path: of the file, ending in .pth.
        full_size: 174 M parameters as published (heads as published); otherwise a small one with `TINY_HEADS`.
        seed: of the weights.

    Returns:
        The path.
    """
    torch.save({"model_vec2face": _filled(_network(full_size, rank=None), seed).state_dict()}, path)
    return path


def write_pose_checkpoint(path: Path, *, full_size: bool = False, seed: int = 0) -> Path:
    """Writes what `pose_model.pth` of Vec2Face+ holds: {'model_vec2face': ..., 'pose_model': ...}; see above."""
    network = _network(full_size, rank=8 if full_size else 2)
    widths = (32, 64, 128, 256) if full_size else (4, 4, 8, 8)
    pose = PoseCondition(widths, network.width)
    torch.save(
        {
            "model_vec2face": _filled(network, seed).state_dict(),
            "pose_model": _filled(pose, seed + 1).state_dict(),
        },
        path,
    )
    return path


def _network(full_size: bool, rank: int | None) -> Vec2Face:
    width = 768 if full_size else 16
    shape = Vec2FaceShape(
        vector=512,
        tokens=49,
        width=width,
        hidden=4 * width,
        depths=(12, 8) if full_size else (2, 1),
        heads=HEADS if full_size else TINY_HEADS,
        rank=rank,
        patch=16,
    )
    widths = (128, 128, 256, 256, 512) if full_size else (32, 32, 32, 64, 64)
    with torch.device("meta"):
        network = Vec2Face(shape, ImageDecoder(256 if full_size else 8, widths, 2 if full_size else 1))
    return network.to_empty(device="cpu")


def _filled(network: nn.Module, seed: int) -> nn.Module:
    """Draws weights of about the size that training starts with, so that activations keep their size."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in network.named_parameters():
            if value.ndim == 1:
                value.fill_(1.0 if "norm" in name.lower() and name.endswith("weight") else 0.0)
            elif name.startswith("feature_token"):
                value.normal_(generator=random)  # one input: each token of the grid is its own multiple
            else:
                value.normal_(std=value[0].numel() ** -0.5, generator=random)
    for name, buffer in network.named_buffers():
        if name == "token_emb.position_ids":
            buffer.copy_(torch.arange(buffer.numel()).view_as(buffer))
    return network


def write_estimators(folder: Path, *, seed: int = 0) -> dict[str, str]:
    """Writes small estimators of attribute optimisation and returns their options by name."""
    paths = {
        "recogniser": folder / "arcface-r100-glint360k.pth",
        "quality_estimator": folder / "magface-r100-glint360k.pth",
        "pose_estimator": folder / "6DRepNet_300W_LP_AFLW2000.pth",
    }
    write_iresnet(paths["recogniser"], seed=seed)
    write_iresnet(paths["quality_estimator"], seed=seed + 1)
    write_sixdrepnet(paths["pose_estimator"], seed=seed + 2)
    return {name: str(path) for name, path in paths.items()}
