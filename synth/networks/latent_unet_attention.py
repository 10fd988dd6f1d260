"""Attention of the latent UNet, with the parameter names of IDiff-Face's checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

GROUPS = 32
"""Groups of every normalisation of the UNet."""


class AttentionEditor(Protocol):
    """Sees the attention logits of one pass through the UNet, block by block, and says which ones to go on with.

    Logits are (B, heads, queries, keys), products of queries and keys before the softmax.
    """

    def self_attention(self, logits: Tensor) -> Tensor:
        """Returns the logits to use in place of those of the next block's self-attention."""

    def cross_attention(self, logits: Tensor) -> Tensor:
        """Returns the logits to use in place of those of the next block's attention to the context."""


class MultiHeadAttention(nn.Module):
    """Attention of tokens to tokens (Vaswani et al. 2017, section 3.2); its linear maps are 1-wide convolutions.

    Args:
        channels: of the queries and of the result, a multiple of `head_channels`.
        source_channels: of what is attended to.
        head_channels: channels of each head.
    """

    def __init__(self, channels: int, source_channels: int, head_channels: int) -> None:
        super().__init__()
        self.head_channels = head_channels
        self.to_q = nn.Conv1d(channels, channels, 1)
        self.to_k = nn.Conv1d(source_channels, channels, 1)
        self.to_v = nn.Conv1d(source_channels, channels, 1)
        self.proj_out = nn.Conv1d(channels, channels, 1)

    def forward(self, tokens: Tensor, source: Tensor, edit: Callable[[Tensor], Tensor] | None = None) -> Tensor:
        """Returns what `tokens` (B, L, channels) gather from `source` (B, S, source_channels): (B, L, channels)."""
        queries, keys = self._heads(self.to_q, tokens), self._heads(self.to_k, source)
        values = self._heads(self.to_v, source)
        if edit is None:
            gathered = functional.scaled_dot_product_attention(queries, keys, values)
        else:
            scale = self.head_channels**-0.25
            logits = edit((queries * scale) @ (keys * scale).transpose(-1, -2))
            gathered = torch.softmax(logits.float(), dim=-1).to(values.dtype) @ values
        return _linear(self.proj_out, gathered.transpose(1, 2).flatten(2))

    def _heads(self, convolution: nn.Conv1d, tokens: Tensor) -> Tensor:
        """Returns tokens mapped and cut into heads, (B, heads, L, head_channels)."""
        mapped = _linear(convolution, tokens)
        return mapped.reshape(*mapped.shape[:2], -1, self.head_channels).transpose(1, 2)


class CrossAttentionBlock(nn.Module):
    """Attention of a feature map to itself and to a context, then a feed-forward layer, each added to its input.

    Boutros et al. (2023), "IDiff-Face"; as in their checkpoints, the three share one normalisation.

    Args:
        channels: of the feature map.
        context_channels: of the context, and of each token that is made of it.
        head_channels: channels of each head, and number of tokens made of the context.
    """

    def __init__(self, channels: int, context_channels: int, head_channels: int) -> None:
        super().__init__()
        self.context_channels = context_channels
        self.x_proj_in = nn.Conv2d(channels, channels, 1)
        self.x_proj_out = nn.Conv2d(channels, channels, 1)
        self.self_attention = MultiHeadAttention(channels, channels, head_channels)
        self.c_proj_in = nn.Linear(context_channels, context_channels * head_channels)
        self.cross_attention = MultiHeadAttention(channels, context_channels, head_channels)
        self.x_norm = nn.GroupNorm(GROUPS, channels)
        self.c_norm = nn.GroupNorm(GROUPS, context_channels)
        self.ff = nn.Sequential(nn.Linear(channels, 4 * channels), nn.GELU(), nn.Linear(4 * channels, channels))

    def forward(self, hidden: Tensor, context: Tensor, editor: AttentionEditor | None = None) -> Tensor:
        """Returns the map (B, channels, H, W) changed in view of the context (B, context_channels)."""
        # The projection's channels come first: neighbouring numbers are of one channel, not of one token.
        source = self.c_proj_in(context).reshape(len(context), self.context_channels, -1)
        source = self.c_norm(source).transpose(1, 2)
        inside = self.x_proj_in(hidden)
        normal = _tokens(self.x_norm(inside))
        inside = inside + _map(self.self_attention(normal, normal, editor and editor.self_attention), hidden)
        normal = _tokens(self.x_norm(inside))
        inside = inside + _map(self.cross_attention(normal, source, editor and editor.cross_attention), hidden)
        inside = inside + _map(self.ff(_tokens(self.x_norm(inside))), hidden)
        result: Tensor = hidden + self.x_proj_out(inside)
        return result


class SelfAttentionBlock(nn.Module):
    """Attention of a feature map to itself, added to it; the context acts on the residual blocks alone.

    Args:
        channels: of the feature map.
        head_channels: channels of each head.
    """

    def __init__(self, channels: int, head_channels: int) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(channels, channels, head_channels)
        self.norm = nn.GroupNorm(GROUPS, channels)

    def forward(self, hidden: Tensor, context: Tensor, editor: AttentionEditor | None = None) -> Tensor:
        """Returns the changed map (B, channels, H, W); the context is not looked at."""
        normal = _tokens(self.norm(hidden))
        return hidden + _map(self.attention(normal, normal, editor and editor.self_attention), hidden)


def _linear(convolution: nn.Conv1d, tokens: Tensor) -> Tensor:
    """Applies a 1-wide convolution to tokens (B, L, C): no copies where a map's channels lie together in memory."""
    return functional.linear(tokens, convolution.weight[:, :, 0], convolution.bias)


def _tokens(hidden: Tensor) -> Tensor:
    """Returns a map (B, C, H, W) as tokens (B, H * W, C)."""
    return hidden.flatten(2).transpose(1, 2)


def _map(tokens: Tensor, like: Tensor) -> Tensor:
    """Returns tokens (B, H * W, C) as a map of the size of another."""
    return tokens.transpose(1, 2).reshape(like.shape)
