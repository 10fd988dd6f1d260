"""The conditional latent UNet that IDiff-Face, UIFace, ADMIS and NegFaceDiff share, with their parameter names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from synth.networks.latent_unet_attention import GROUPS, AttentionEditor, CrossAttentionBlock, SelfAttentionBlock
from synth.networks.latent_unet_blocks import (
    Downsample,
    MiddleBlock,
    ResidualBlock,
    TimeEmbedding,
    UNetBlock,
    Upsample,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UNetLayout:
    """Size of a UNet; the defaults are the published ones.

    Attributes:
        latent_channels: of what it denoises.
        channels: of the first map.
        multipliers: factor of the channels at each level, over the level before.
        attention: whether the blocks of each level have attention.
        blocks: blocks of a level on the way down; there is one more on the way up.
        conditioning: 'cross_attention' where attention looks at the context, 'adagn' where residual blocks do.
        head_channels: channels of an attention head.
        context_size: numbers of a context.
        context_channels: of the embedded context.
        learned_empty_context: whether the embedding of 'no context' is a parameter; otherwise it is zeros.
    """

    latent_channels: int = 3
    channels: int = 96
    multipliers: tuple[int, ...] = (1, 2, 2, 2)
    attention: tuple[bool, ...] = (False, True, True, True)
    blocks: int = 2
    conditioning: Literal["cross_attention", "adagn"] = "cross_attention"
    head_channels: int = 32
    context_size: int = 512
    context_channels: int = 256
    learned_empty_context: bool = False


class LatentUNet(nn.Module):
    """Predicts the noise in a latent image of a person.

    Boutros, Grebe, Kuijper and Damer (2023), "IDiff-Face: Synthetic-based Face Recognition through Fizzy
    Identity-Conditioned Diffusion Models".

    Args:
        layout: its size.
    """

    def __init__(self, layout: UNetLayout) -> None:
        super().__init__()
        self.layout = layout
        self.image_proj = nn.Conv2d(layout.latent_channels, layout.channels, 3, padding=1)
        self.time_emb = TimeEmbedding(4 * layout.channels)
        self.context_emb = nn.Linear(layout.context_size, layout.context_channels)
        self.empty_context_embedding = (
            nn.Parameter(torch.empty(layout.context_channels)) if layout.learned_empty_context else None
        )
        self.down = nn.ModuleList()
        channels = layout.channels
        for level, multiplier in enumerate(layout.multipliers):
            widened = channels * multiplier
            for block in range(layout.blocks):
                self.down.append(self._block(widened if block else channels, widened, layout.attention[level]))
            channels = widened
            if level < len(layout.multipliers) - 1:
                self.down.append(Downsample(channels))
        self.middle = MiddleBlock(
            self._residual(channels, channels), self._attention(channels), self._residual(channels, channels)
        )
        self.up = nn.ModuleList()
        for level, multiplier in reversed(list(enumerate(layout.multipliers))):
            narrowed = channels // multiplier
            for width in [channels] * layout.blocks + [narrowed]:
                self.up.append(self._block(channels + width, width, layout.attention[level]))
            channels = narrowed
            if level > 0:
                self.up.append(Upsample(channels))
        self.norm = nn.GroupNorm(GROUPS, layout.channels)
        self.final = nn.Conv2d(layout.channels, layout.latent_channels, 3, padding=1)

    def forward(self, latents: Tensor, steps: Tensor, context: Tensor, editor: AttentionEditor | None = None) -> Tensor:
        """Predicts the noise that was mixed into latents.

        Args:
            latents: (B, latent_channels, H, W), in the dtype of the weights, H and W divisible by 2 per level but one.
            steps: int64 (B,), or (1,) where it is the same for all; 0.. of the noise schedule.
            context: (B, context_channels), of `embed` or `empty_context`.
            editor: sees and may change the attention; None: nothing does.

        Returns:
            As `latents`.
        """
        time = self.time_emb(steps)
        hidden = self.image_proj(latents)
        skips = [hidden]
        for module in self.down:
            hidden = module(hidden) if isinstance(module, Downsample) else module(hidden, time, context, editor)
            skips.append(hidden)
        hidden = self.middle(hidden, time, context, editor)
        for module in self.up:
            if isinstance(module, Upsample):
                hidden = module(hidden)
            else:
                hidden = module(torch.cat([hidden, skips.pop()], dim=1), time, context, editor)
        noise: Tensor = self.final(nn.functional.silu(self.norm(hidden)))
        return noise

    def embed(self, vectors: Tensor) -> Tensor:
        """Returns the embedded context of identity vectors (B, context_size)."""
        embedded: Tensor = self.context_emb(vectors.to(self.context_emb.weight.dtype))
        return embedded

    def empty_context(self, rows: int) -> Tensor:
        """Returns the embedding of 'nobody in particular', (rows, context_channels)."""
        weight = self.context_emb.weight
        if self.empty_context_embedding is None:
            return weight.new_zeros(rows, len(weight))
        return self.empty_context_embedding.expand(rows, -1)

    def _block(self, inputs: int, channels: int, has_attention: bool) -> UNetBlock:
        return UNetBlock(self._residual(inputs, channels), self._attention(channels) if has_attention else None)

    def _residual(self, inputs: int, channels: int) -> ResidualBlock:
        layout = self.layout
        context_channels = layout.context_channels if layout.conditioning == "adagn" else None
        return ResidualBlock(inputs, channels, 4 * layout.channels, context_channels)

    def _attention(self, channels: int) -> CrossAttentionBlock | SelfAttentionBlock:
        layout = self.layout
        if layout.conditioning == "adagn":
            return SelfAttentionBlock(channels, layout.head_channels)
        return CrossAttentionBlock(channels, layout.context_channels, layout.head_channels)
