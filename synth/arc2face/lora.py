"""Merges a low-rank adaptation into the weights it adapts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from synth.errors import WeightsError
from synth.weights.checkpoints import listed

PREFIX: Final = "lora_unet_"
DOWN: Final = "lora_down.weight"
UP: Final = "lora_up.weight"
ALPHA: Final = "alpha"


def merge_lora(unet: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Adds alpha / rank * up @ down to each weight that a LoRA adapts: as fast as without it, and the same numbers.

    Hu, Shen, Wallis, Allen-Zhu, Li, Wang and Chen (2021), "LoRA: Low-Rank Adaptation of Large Language Models",
    section 4.1.

    Args:
        unet: its linear and convolutional weights are changed in place; sums are made in float32.
        tensors: for each adapted layer `lora_unet_<name with underscores>.lora_down.weight` (rank, in, ...),
            `.lora_up.weight` (out, rank, ...) and perhaps `.alpha` (), the rank where it is not given; as in
            latent-consistency/lcm-lora-sdv1-5.
        path: of the file, for messages.

    Raises:
        WeightsError: a name is unknown, its counterpart is missing, or a shape does not fit; the network is as it was.
    """
    layers = {
        PREFIX + name.replace(".", "_"): layer
        for name, layer in unet.named_modules()
        if isinstance(layer, nn.Linear | nn.Conv2d)
    }
    adapted = _adapted(tensors, layers, path)
    for name in adapted:
        _check_shapes(tensors, name, layers[name].weight, path)
    with torch.no_grad():
        for name in adapted:
            weight = layers[name].weight
            weight.copy_(weight.float() + _delta(tensors, name, weight.device))


def _adapted(tensors: Mapping[str, Tensor], layers: Mapping[str, nn.Module], path: Path) -> list[str]:
    """Returns the names of the adapted layers, each with both of its factors."""
    parts = {name: name.partition(".")[::2] for name in tensors}
    unknown = [name for name, (layer, part) in parts.items() if layer not in layers or part not in (DOWN, UP, ALPHA)]
    if unknown:
        raise WeightsError(f"{path}: has {listed(unknown)}, unknown to the network; it is no LoRA of this network")
    adapted = list(dict.fromkeys(layer for layer, _ in parts.values()))
    missing = [f"{layer}.{part}" for layer in adapted for part in (DOWN, UP) if f"{layer}.{part}" not in tensors]
    if missing:
        raise WeightsError(f"{path}: lacks {listed(missing)}; it is only a part of a LoRA, get it again")
    return adapted


def _check_shapes(tensors: Mapping[str, Tensor], name: str, weight: Tensor, path: Path) -> None:
    down, up = tensors[f"{name}.{DOWN}"], tensors[f"{name}.{UP}"]
    out_channels, in_channels, *kernel = weight.shape
    rank = up.shape[1] if up.ndim > 1 else 0
    wanted = (rank, in_channels, *kernel), (out_channels, rank, *[1] * len(kernel))
    alpha = tensors.get(f"{name}.{ALPHA}", torch.tensor(rank))
    if (tuple(down.shape), tuple(up.shape)) != wanted or rank == 0 or alpha.numel() != 1:
        raise WeightsError(
            f"{path}: {name} is {tuple(up.shape)} x {tuple(down.shape)}, it does not fit a weight of shape "
            f"{tuple(weight.shape)}; it is a LoRA of another network"
        )


def _delta(tensors: Mapping[str, Tensor], name: str, device: torch.device) -> Tensor:
    """Returns what is added to a layer's weight, float32."""
    down, up = (tensors[f"{name}.{part}"].to(device, torch.float32) for part in (DOWN, UP))
    rank = len(down)
    alpha = tensors.get(f"{name}.{ALPHA}", torch.tensor(rank))
    return (up.flatten(1) @ down.flatten(1)).view(len(up), *down.shape[1:]) * (float(alpha) / rank)
