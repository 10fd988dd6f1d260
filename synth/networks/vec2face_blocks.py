"""The transformer blocks of Vec2Face, and the low-rank layers that Vec2Face+ adds to them."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

LAYER_NORM_EPSILON: Final = 1e-6
LORA_ALPHA: Final = 32.0  # as published; the low-rank term is weighted with alpha / rank


class LoraLinear(nn.Module):
    """A linear layer plus a low-rank term, W x + b + (alpha / r) B A x (Hu et al. 2022, "LoRA", section 4.1).

    Args:
        inputs: numbers it takes.
        outputs: numbers it gives.
        rank: r.
    """

    def __init__(self, inputs: int, outputs: int, rank: int) -> None:
        super().__init__()
        self.base = nn.Linear(inputs, outputs)
        self.A = nn.Parameter(torch.zeros(rank, inputs))
        self.B = nn.Parameter(torch.zeros(outputs, rank))

    def forward(self, hidden: Tensor) -> Tensor:
        """Maps (..., inputs) to (..., outputs)."""
        low = functional.linear(functional.linear(hidden, self.A), self.B)
        full: Tensor = self.base(hidden)
        return full + (LORA_ALPHA / len(self.A)) * low


class Attention(nn.Module):
    """Self-attention of a sequence to itself.

    The weights are computed in float32 in any precision, as published. Written out rather than fused: on 50 tokens
    that costs little, and it stays closer to what the published code computes.

    Args:
        width: C, numbers of a token.
        heads: attention heads; C is a multiple of them.
        rank: of the low-rank terms; None: plain layers.
    """

    def __init__(self, width: int, heads: int, rank: int | None) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = _linear(width, 3 * width, rank)
        self.proj = _linear(width, width, rank)

    def forward(self, tokens: Tensor) -> Tensor:
        """Maps (B, N, C) to (B, N, C)."""
        batch, length, width = tokens.shape
        split = self.qkv(tokens).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        similarity = query.float() @ key.float().transpose(-2, -1)
        weights = (similarity * query.shape[-1] ** -0.5).softmax(dim=-1)
        mixed = weights.to(value.dtype) @ value
        projected: Tensor = self.proj(mixed.transpose(1, 2).reshape(batch, length, width))
        return projected


class FeedForward(nn.Module):
    """Two linear layers with a GELU between them."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, hidden)
        self.fc2 = nn.Linear(hidden, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Maps (B, N, C) to (B, N, C)."""
        mapped: Tensor = self.fc2(functional.gelu(self.fc1(tokens)))
        return mapped


class Block(nn.Module):
    """One block of a vision transformer, normalised before each part (Dosovitskiy et al. 2021, Eq. 2 and 3).

    Args:
        width: C, numbers of a token.
        hidden: numbers between the layers of the feed-forward part.
        heads: attention heads.
        rank: of the low-rank terms; None: plain layers.
    """

    def __init__(self, width: int, hidden: int, heads: int, rank: int | None) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=LAYER_NORM_EPSILON)
        self.attn = Attention(width, heads, rank)
        self.norm2 = nn.LayerNorm(width, eps=LAYER_NORM_EPSILON)
        self.mlp = FeedForward(width, hidden)

    def forward(self, tokens: Tensor) -> Tensor:
        """Maps (B, N, C) to (B, N, C)."""
        attended: Tensor = tokens + self.attn(self.norm1(tokens))
        mapped: Tensor = attended + self.mlp(self.norm2(attended))
        return mapped


def _linear(inputs: int, outputs: int, rank: int | None) -> nn.Module:
    return nn.Linear(inputs, outputs) if rank is None else LoraLinear(inputs, outputs, rank)
