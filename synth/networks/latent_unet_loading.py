"""Reads checkpoints of the latent UNet: whose they are, what size they have, and their noise schedule."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from torch import Tensor

from synth.errors import WeightsError
from synth.networks.latent_unet import LatentUNet, UNetLayout
from synth.weights.checkpoints import built_from, read_checkpoint, tensors_of

HEAD_CHANNELS: Final = 32
"""Channels of an attention head in all published checkpoints."""

SCHEDULE_TENSORS: Final[tuple[str, ...]] = (
    "betas",
    "alphas",
    "sigmas",
    "sqrt_alphas_inv",
    "alpha_bars",
    "sqrt_alpha_bars",
    "sqrt_one_minus_alpha_bars",
    "one_minus_alphas_over_sqrt_one_minus_alpha_bars",
)
"""Tensors that IDiff-Face stores beside its UNet, each of the schedule's length."""

_PREFIXES = ("module.", "eps_model.")  # of distributed training, and of the diffusion model around the UNet


def load_latent_unet(path: Path, head_channels: int = HEAD_CHANNELS) -> tuple[LatentUNet, dict[str, Tensor]]:
    """Reads a checkpoint of IDiff-Face, UIFace, ADMIS or NegFaceDiff.

    Args:
        path: .ckpt or .safetensors.
        head_channels: channels of an attention head, where the checkpoint does not tell.

    Returns:
        The UNet, in evaluation mode, float32; and its noise schedule, by the names of `SCHEDULE_TENSORS`, all of
        them or none.

    Raises:
        WeightsError: the file is missing, damaged or of another network.
    """
    tensors = {_bare(name): value for name, value in tensors_of(read_checkpoint(path), path).items()}
    schedule = {name: tensors.pop(name) for name in SCHEDULE_TENSORS if name in tensors}
    _check_schedule(schedule, path)
    unet = built_from(
        tensors,
        path,
        lambda tensors: LatentUNet(layout_of(tensors, head_channels)),
        expected="expected a checkpoint of IDiff-Face, UIFace, ADMIS or NegFaceDiff",
    )
    return unet, schedule


def layout_of(tensors: Mapping[str, Tensor], head_channels: int = HEAD_CHANNELS) -> UNetLayout:
    """Returns the size of the UNet that tensors belong to.

    Args:
        tensors: names as `LatentUNet` has them.
        head_channels: channels of an attention head, where the tensors do not tell: in `adagn` networks.

    Raises:
        KeyError: a name that tells the size is missing.
        ValueError: a level has no blocks.
    """
    channels, latent_channels = tensors["image_proj.weight"].shape[:2]
    context_channels, context_size = tensors["context_emb.weight"].shape
    conditioning: Literal["cross_attention", "adagn"] = "adagn"
    if "middle.res1.context_emb.1.weight" not in tensors:
        conditioning = "cross_attention"
        head_channels = len(tensors["middle.attn.c_proj_in.weight"]) // context_channels
    levels = _levels(tensors)
    widths = [channels, *(len(tensors[f"down.{level[0]}.res.conv1.weight"]) for level in levels)]
    return UNetLayout(
        latent_channels=latent_channels,
        channels=channels,
        multipliers=tuple(after // before for before, after in itertools.pairwise(widths)),
        attention=tuple(any(name.startswith(f"down.{level[0]}.attn.") for name in tensors) for level in levels),
        blocks=len(levels[0]),
        conditioning=conditioning,
        head_channels=head_channels,
        context_size=context_size,
        context_channels=context_channels,
        learned_empty_context="empty_context_embedding" in tensors,
    )


def _levels(tensors: Mapping[str, Tensor]) -> list[list[int]]:
    """Returns the numbers of the blocks of each level on the way down; a `down.N.conv` ends a level."""
    levels: list[list[int]] = [[]]
    number = 0
    while True:
        if f"down.{number}.conv.weight" in tensors:
            levels.append([])
        elif f"down.{number}.res.conv1.weight" in tensors:
            levels[-1].append(number)
        else:
            break
        number += 1
    if not all(levels):
        raise ValueError("it lacks blocks named down.N.res")
    return levels


def _bare(name: str) -> str:
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return name


def _check_schedule(schedule: Mapping[str, Tensor], path: Path) -> None:
    missing = [name for name in SCHEDULE_TENSORS if name not in schedule]
    if schedule and missing:
        raise WeightsError(f"{path}: its noise schedule lacks {', '.join(missing)}; get the file again")
    shapes = {tuple(value.shape) for value in schedule.values()}
    if len(shapes) > 1 or any(len(shape) != 1 or shape[0] < 1 for shape in shapes):
        raise WeightsError(f"{path}: its noise schedule has tensors of shapes {sorted(shapes)}, not of one length")
