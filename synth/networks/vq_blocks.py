"""Blocks of the first stage of latent diffusion, with the parameter names of CompVis' checkpoints."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Final

from torch import Tensor, nn
from torch.nn import functional

_GROUPS: Final = 32
_EPSILON: Final = 1e-6


def norm(channels: int) -> nn.GroupNorm:
    """Returns the normalisation that all blocks have."""
    return nn.GroupNorm(_GROUPS, channels, eps=_EPSILON)


class ResidualBlock(nn.Module):
    """Two convolutions, added to the input."""

    def __init__(self, inputs: int, channels: int) -> None:
        super().__init__()
        self.norm1 = norm(inputs)
        self.conv1 = nn.Conv2d(inputs, channels, 3, padding=1)
        self.norm2 = norm(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.nin_shortcut = None if inputs == channels else nn.Conv2d(inputs, channels, 1)

    def forward(self, hidden: Tensor) -> Tensor:
        """Returns (B, channels, H, W) of a map (B, inputs, H, W)."""
        inside = self.conv1(functional.silu(self.norm1(hidden)))
        inside = self.conv2(functional.silu(self.norm2(inside)))
        result: Tensor = inside + (hidden if self.nin_shortcut is None else self.nin_shortcut(hidden))
        return result


class AttentionBlock(nn.Module):
    """Attention of each place of a map to all others, in one head, added to the map."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = norm(channels)
        self.q = nn.Conv2d(channels, channels, 1)
        self.k = nn.Conv2d(channels, channels, 1)
        self.v = nn.Conv2d(channels, channels, 1)
        self.proj_out = nn.Conv2d(channels, channels, 1)

    def forward(self, hidden: Tensor) -> Tensor:
        """Returns the changed map (B, channels, H, W)."""
        normal = self.norm(hidden)
        queries, keys, values = (layer(normal).flatten(2).transpose(1, 2) for layer in (self.q, self.k, self.v))
        gathered = functional.scaled_dot_product_attention(queries, keys, values)
        result: Tensor = hidden + self.proj_out(gathered.transpose(1, 2).reshape(hidden.shape))
        return result


class Middle(nn.Module):
    """Attention between two residual blocks."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.block_1 = ResidualBlock(channels, channels)
        self.attn_1 = AttentionBlock(channels)
        self.block_2 = ResidualBlock(channels, channels)

    def forward(self, hidden: Tensor) -> Tensor:
        """Returns the changed map (B, channels, H, W)."""
        result: Tensor = self.block_2(self.attn_1(self.block_1(hidden)))
        return result


class DownLevel(nn.Module):
    """Residual blocks of a level; all levels but the last then halve the side.

    Args:
        widths: channels before, between and after the blocks.
        is_last: whether nothing is halved.
    """

    def __init__(self, widths: Sequence[int], is_last: bool) -> None:
        super().__init__()
        self.block = _blocks(widths)
        self.downsample = None if is_last else _Downsample(widths[-1])

    def forward(self, hidden: Tensor) -> Tensor:
        """Returns the map of the level."""
        for block in self.block:
            hidden = block(hidden)
        return hidden if self.downsample is None else self.downsample(hidden)


class UpLevel(nn.Module):
    """Residual blocks of a level; all levels but the last then double the side.

    Args:
        widths: channels before, between and after the blocks.
        is_last: whether nothing is doubled.
    """

    def __init__(self, widths: Sequence[int], is_last: bool) -> None:
        super().__init__()
        self.block = _blocks(widths)
        self.upsample = None if is_last else _Upsample(widths[-1])

    def forward(self, hidden: Tensor) -> Tensor:
        """Returns the map of the level."""
        for block in self.block:
            hidden = block(hidden)
        return hidden if self.upsample is None else self.upsample(hidden)


class _Downsample(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2)

    def forward(self, hidden: Tensor) -> Tensor:
        result: Tensor = self.conv(functional.pad(hidden, (0, 1, 0, 1)))
        return result


class _Upsample(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, hidden: Tensor) -> Tensor:
        result: Tensor = self.conv(functional.interpolate(hidden, scale_factor=2.0, mode="nearest"))
        return result


def _blocks(widths: Sequence[int]) -> nn.ModuleList:
    return nn.ModuleList(ResidualBlock(before, after) for before, after in itertools.pairwise(widths))
