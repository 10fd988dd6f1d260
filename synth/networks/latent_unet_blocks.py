"""Residual blocks, time embedding and resampling of the latent UNet, with the names of IDiff-Face's checkpoints."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from synth.networks.latent_unet_attention import GROUPS, AttentionEditor, CrossAttentionBlock, SelfAttentionBlock

_LONGEST_PERIOD = 10_000  # steps, of the slowest wave of the time embedding


class TimeEmbedding(nn.Module):
    """Cosines and sines of the step (Vaswani et al. 2017, section 3.5), cosines first, through two layers.

    Args:
        channels: of the embedding, four times the number of waves.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.lin1 = nn.Linear(channels // 4, channels)
        self.lin2 = nn.Linear(channels, channels)

    def forward(self, steps: Tensor) -> Tensor:
        """Returns (B, channels) of steps (B,), in the dtype of the weights."""
        half = self.lin1.in_features // 2
        numbers = torch.arange(half, dtype=torch.float32, device=steps.device)
        frequencies = torch.exp(-math.log(_LONGEST_PERIOD) * numbers / half)
        angles = steps[:, None].float() * frequencies
        waves = torch.cat([torch.cos(angles), torch.sin(angles)], dim=1).to(self.lin1.weight.dtype)
        embedded: Tensor = self.lin2(nn.functional.silu(self.lin1(waves)))
        return embedded


class _ModulatedNorm(nn.Module):
    """Group normalisation with a scale and a shift from outside (Dhariwal and Nichol 2021, section 3.1)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(GROUPS, channels)

    def forward(self, hidden: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        result: Tensor = (1 + scale[:, :, None, None]) * self.norm(hidden) + shift[:, :, None, None]
        return result


class ResidualBlock(nn.Module):
    """Two convolutions; the time, and in `adagn` networks the context, scale and shift what is between them.

    Args:
        inputs: channels of the map it takes.
        channels: of the map it returns.
        time_channels: of the time embedding.
        context_channels: of the context; None where it is not looked at.
    """

    def __init__(self, inputs: int, channels: int, time_channels: int, context_channels: int | None) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(GROUPS, inputs)
        self.conv1 = nn.Conv2d(inputs, channels, 3, padding=1)
        self.time_emb = nn.Sequential(nn.SiLU(), nn.Linear(time_channels, channels))
        self.context_emb: nn.Module | None = None
        if context_channels is not None:
            self.context_emb = nn.Sequential(nn.SiLU(), nn.Linear(context_channels, channels))
        self.scale_emb = nn.Linear(channels, channels)
        self.shift_emb = nn.Linear(channels, channels)
        self.norm2 = _ModulatedNorm(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.shortcut: nn.Module = nn.Identity() if inputs == channels else nn.Conv2d(inputs, channels, 1)

    def forward(self, hidden: Tensor, time: Tensor, context: Tensor) -> Tensor:
        """Returns (B, channels, H, W) of a map (B, inputs, H, W); `time` is (B or 1, time_channels)."""
        inside = self.conv1(nn.functional.silu(self.norm1(hidden)))
        condition = self.time_emb(time)
        if self.context_emb is not None:
            condition = condition + self.context_emb(context)
        inside = self.norm2(inside, self.scale_emb(condition), self.shift_emb(condition))
        inside = self.conv2(nn.functional.silu(inside))
        result: Tensor = inside + self.shortcut(hidden)
        return result


class UNetBlock(nn.Module):
    """A residual block with or without attention behind it.

    Args:
        res: the residual block.
        attn: the attention; None: none.
    """

    def __init__(self, res: ResidualBlock, attn: CrossAttentionBlock | SelfAttentionBlock | None) -> None:
        super().__init__()
        self.res = res
        self.attn = attn

    def forward(self, hidden: Tensor, time: Tensor, context: Tensor, editor: AttentionEditor | None) -> Tensor:
        """Returns the map of `res` and `attn`."""
        inside: Tensor = self.res(hidden, time, context)
        return inside if self.attn is None else self.attn(inside, context, editor)


class MiddleBlock(nn.Module):
    """Attention between two residual blocks.

    Args:
        res1: the first residual block.
        attn: the attention.
        res2: the second residual block.
    """

    def __init__(
        self, res1: ResidualBlock, attn: CrossAttentionBlock | SelfAttentionBlock, res2: ResidualBlock
    ) -> None:
        super().__init__()
        self.res1 = res1
        self.attn = attn
        self.res2 = res2

    def forward(self, hidden: Tensor, time: Tensor, context: Tensor, editor: AttentionEditor | None) -> Tensor:
        """Returns the map of all three."""
        inside = self.attn(self.res1(hidden, time, context), context, editor)
        result: Tensor = self.res2(inside, time, context)
        return result


class Downsample(nn.Module):
    """Halves the side of a map."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, hidden: Tensor) -> Tensor:
        """Returns (B, channels, H / 2, W / 2)."""
        result: Tensor = self.conv(hidden)
        return result


class Upsample(nn.Module):
    """Doubles the side of a map."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose2d(channels, channels, 4, stride=2, padding=1)

    def forward(self, hidden: Tensor) -> Tensor:
        """Returns (B, channels, 2 * H, 2 * W)."""
        result: Tensor = self.conv(hidden)
        return result
