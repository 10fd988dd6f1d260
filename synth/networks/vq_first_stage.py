"""First stage of latent diffusion: images to latents, and latents through a codebook back to images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from synth.networks.vq_blocks import DownLevel, Middle, UpLevel, norm
from synth.weights.checkpoints import built_from, depth_of, read_checkpoint, tensors_of

_SAMPLES_AT_ONCE: Final = 8  # whose distances to all codes are held at a time; 32 x 32 places, 8192 codes: 268 MB
_EXPECTED: Final = "expected a half of a first stage as published with IDiff-Face"


class FirstStageEncoder(nn.Module):
    """Turns images into latents: Rombach et al. (2022), "High-resolution image synthesis with latent diffusion models".

    Args:
        widths: channels of each level, the one of full size first; each but the last halves the side.
        blocks: residual blocks of a level.
        latent_channels: of the latents.
    """

    def __init__(self, widths: Sequence[int], blocks: int, latent_channels: int = 3) -> None:
        super().__init__()
        self.encoder = _Encoder(widths, blocks, latent_channels)
        self.quant_conv = nn.Conv2d(latent_channels, latent_channels, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Returns latents (B, latent_channels, H / f, W / f), not quantised, of RGB images (B, 3, H, W), -1..1."""
        latents: Tensor = self.quant_conv(self.encoder(images))
        return latents


class FirstStageDecoder(nn.Module):
    """Turns latents into images, after replacing the latent at each place by the closest code of a codebook.

    van den Oord et al. (2017), "Neural discrete representation learning", equations 1 and 2; network of Rombach et
    al. (2022).

    Args:
        widths: channels of each level, the one of full size first.
        blocks: residual blocks of a level of the encoder; the decoder has one more.
        codes: size of the codebook.
        latent_channels: of the latents.
    """

    def __init__(self, widths: Sequence[int], blocks: int, codes: int, latent_channels: int = 3) -> None:
        super().__init__()
        self.factor = 2 ** (len(widths) - 1)
        """Side of an image over the side of its latents."""
        self.decoder = _Decoder(widths, blocks, latent_channels)
        self.quantize = _Codebook(codes, latent_channels)
        self.post_quant_conv = nn.Conv2d(latent_channels, latent_channels, 1)

    def forward(self, latents: Tensor) -> Tensor:
        """Returns RGB images (B, 3, f * H, f * W), about -1..1, in the dtype of the weights.

        Args:
            latents: float32 (B, latent_channels, H, W).
        """
        quantised = self.quantize(latents).to(self.post_quant_conv.weight.dtype)
        images: Tensor = self.decoder(self.post_quant_conv(quantised))
        return images

    def set_precision(self, dtype: torch.dtype) -> None:
        """Computes in `dtype`; the codebook stays in float32, its codes lie close together."""
        self.decoder.to(dtype)
        self.post_quant_conv.to(dtype)


class _Codebook(nn.Module):
    def __init__(self, codes: int, channels: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(codes, channels)

    def forward(self, latents: Tensor) -> Tensor:
        codes: Tensor = self.embedding(self.closest(latents))
        return codes.permute(0, 3, 1, 2)

    def closest(self, latents: Tensor) -> Tensor:
        """Returns the number of the closest code at each place of latents (B, C, H, W), int64 (B, H, W)."""
        codes = self.embedding.weight.float()
        lengths = codes.square().sum(dim=1)
        found = []
        for part in torch.split(latents.float(), _SAMPLES_AT_ONCE):
            # |z - e|^2 less |z|^2, which is the same for all codes.
            distances = lengths - 2 * part.permute(0, 2, 3, 1) @ codes.T
            found.append(distances.argmin(dim=-1))
        return torch.cat(found)


class _Encoder(nn.Module):
    def __init__(self, widths: Sequence[int], blocks: int, latent_channels: int) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(3, widths[0], 3, padding=1)
        last = len(widths) - 1
        self.down = nn.ModuleList(
            DownLevel([before] + blocks * [width], is_last=level == last)
            for level, (before, width) in enumerate(zip([widths[0], *widths[:-1]], widths, strict=True))
        )
        self.mid = Middle(widths[-1])
        self.norm_out = norm(widths[-1])
        self.conv_out = nn.Conv2d(widths[-1], latent_channels, 3, padding=1)

    def forward(self, images: Tensor) -> Tensor:
        hidden = self.conv_in(images)
        for level in self.down:
            hidden = level(hidden)
        result: Tensor = self.conv_out(functional.silu(self.norm_out(self.mid(hidden))))
        return result


class _Decoder(nn.Module):
    def __init__(self, widths: Sequence[int], blocks: int, latent_channels: int) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(latent_channels, widths[-1], 3, padding=1)
        self.mid = Middle(widths[-1])
        self.up = nn.ModuleList(
            UpLevel([before] + (blocks + 1) * [width], is_last=level == 0)
            for level, (width, before) in enumerate(zip(widths, [*widths[1:], widths[-1]], strict=True))
        )
        self.norm_out = norm(widths[0])
        self.conv_out = nn.Conv2d(widths[0], 3, 3, padding=1)

    def forward(self, latents: Tensor) -> Tensor:
        hidden = self.mid(self.conv_in(latents))
        for number in reversed(range(len(self.up))):
            hidden = self.up[number](hidden)
        result: Tensor = self.conv_out(functional.silu(self.norm_out(hidden)))
        return result


def load_encoder(path: Path) -> FirstStageEncoder:
    """Reads the encoding half of a first stage, as published with IDiff-Face; in evaluation mode, float32.

    Args:
        path: .pt or .safetensors.

    Raises:
        WeightsError: the file is missing, damaged or of another network.
    """
    return built_from(tensors_of(read_checkpoint(path), path), path, _encoder_for, expected=_EXPECTED)


def load_decoder(path: Path) -> FirstStageDecoder:
    """Reads the decoding half of a first stage, as published with IDiff-Face; in evaluation mode, float32.

    Args:
        path: .pt or .safetensors.

    Raises:
        WeightsError: the file is missing, damaged or of another network.
    """
    return built_from(tensors_of(read_checkpoint(path), path), path, _decoder_for, expected=_EXPECTED)


def _encoder_for(tensors: Mapping[str, Tensor]) -> FirstStageEncoder:
    widths, blocks = _size(tensors, "encoder.down")
    return FirstStageEncoder(widths, blocks, len(tensors["quant_conv.weight"]))


def _decoder_for(tensors: Mapping[str, Tensor]) -> FirstStageDecoder:
    widths, blocks = _size(tensors, "decoder.up")
    return FirstStageDecoder(widths, blocks - 1, *tensors["quantize.embedding.weight"].shape)


def _size(tensors: Mapping[str, Tensor], levels: str) -> tuple[list[int], int]:
    """Returns the channels of each level, and the blocks of one, of names like 'decoder.up.0.block.0.conv1.weight'."""
    first = f"{levels}.{{}}.block.0.conv1.weight"
    widths = [len(tensors[first.format(level)]) for level in range(max(1, depth_of(tensors, f"{levels}.")))]
    return widths, depth_of(tensors, f"{levels}.0.block.")
