"""Latents to pictures."""

from __future__ import annotations

import torch
from diffusers.models import AutoencoderKL, AutoencoderTiny
from torch import Tensor, nn

from synth.torch_runtime import require_finite

DECODED_AT_ONCE = 8  # rows: pictures are large, and decoding must not be what bounds the batch


class PictureDecoder(nn.Module):
    """The decoding half of an autoencoder; the other half is let go.

    Args:
        autoencoder: of Stable Diffusion, or its small stand-in.

    Attributes:
        scale: sides of a picture over those of its latents.
        channels: of the latents.
    """

    def __init__(self, autoencoder: AutoencoderKL | AutoencoderTiny) -> None:
        super().__init__()
        config = autoencoder.config
        first = getattr(autoencoder, "post_quant_conv", None)
        self.first = nn.Identity() if first is None else first
        self.decoder = autoencoder.decoder
        self.channels: int = config.latent_channels
        self.scale: int = 2 ** (len(config.block_out_channels) - 1)
        self._factor: float = config.scaling_factor
        self._shift: float = config.shift_factor or 0.0

    def forward(self, latents: Tensor) -> Tensor:
        """Returns pictures (B, 3, H, W), nominally -1..1, of latents (B, channels, H / scale, W / scale)."""
        pictures: Tensor = self.decoder(self.first(latents))
        return pictures

    def pictures(self, latents: Tensor, dtype: torch.dtype) -> Tensor:
        """Decodes latents to uint8 RGB.

        Args:
            latents: float32 (B, channels, h, w), as the denoising network knows them.
            dtype: which to compute in.

        Returns:
            uint8 (B, h * scale, w * scale, 3) on the latents' device, rounded as diffusers does.

        Raises:
            PrecisionError: numbers overflowed.
        """
        made, peaks = [], []
        for rows in torch.split(latents, DECODED_AT_ONCE):
            scaled = (rows / self._factor + self._shift).to(dtype, memory_format=torch.channels_last)
            decoded = self(scaled)
            peaks.append(decoded.abs().flatten(1).amax(dim=1, keepdim=True))
            levels = decoded.float().mul(0.5).add(0.5).clamp(0, 1).mul(255).round()
            made.append(levels.to(torch.uint8).permute(0, 2, 3, 1))
        require_finite(torch.cat(peaks))  # all at once: the device waits once, and a row's number is that of the batch
        return torch.cat(made)
