"""Identity vectors and seeds to pictures: the networks of Arc2Face put together."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from diffusers.models import UNet2DConditionModel
from torch import Tensor

from synth import noise
from synth.arc2face.guidance import guided
from synth.arc2face.identity_prompt import IdentityPrompt
from synth.arc2face.lora import merge_lora
from synth.arc2face.networks import load_autoencoder, load_text_model, load_tiny_autoencoder, load_unet
from synth.arc2face.picture_decoder import PictureDecoder
from synth.arc2face.schedulers import FreshNoise, LatentScheduler
from synth.errors import WeightsError
from synth.torch_runtime import compile_networks
from synth.types import Images, Vectors
from synth.weights.checkpoints import read_checkpoint, tensors_of

_INITIAL: Final = 0  # stream of a sample's first noise; that of a step's fresh noise is the step's number, from 1


class IdentityDiffusion:
    """Makes pictures of identity vectors; each depends on its own vector and seed alone.

    Args:
        unet: the denoising network.
        prompt: encodes identity vectors.
        decoder: turns latents into pictures.
        scheduler: takes the noise out of latents.
        guidance: as `guided` takes it.

    Attributes:
        unet, prompt, decoder, scheduler: as given.
        latent_shape: (C, h, w) of the latents of a picture.
    """

    def __init__(
        self,
        *,
        unet: UNet2DConditionModel,
        prompt: IdentityPrompt,
        decoder: PictureDecoder,
        scheduler: LatentScheduler,
        guidance: float,
    ) -> None:
        self.unet = unet
        self.prompt = prompt
        self.decoder = decoder
        self.scheduler = scheduler
        self._guidance = guidance
        side: int = unet.config.sample_size
        self.latent_shape = (decoder.channels, side, side)
        with torch.inference_mode():
            self._empty_prompt = prompt.encode_empty()

    def generate(self, vectors: Vectors, seeds: npt.NDArray[np.uint64]) -> Images:
        """Returns uint8 RGB pictures (B, H, W, 3) of float32 vectors (B, D) and uint64 seeds (B,)."""
        device = self.unet.device
        with torch.inference_mode():
            keys = noise.seeds_to(seeds, device)
            latents = noise.normal(keys, _INITIAL, self.latent_shape)
            prompts = self.encode(vectors)
            latents = self.denoise(latents, prompts, lambda step: noise.normal(keys, step, self.latent_shape))
            pictures: Images = self.decoder.pictures(latents, self.unet.dtype).cpu().numpy()
        return pictures

    def encode(self, vectors: Vectors) -> Tensor:
        """Returns the prompts (B, tokens, width) of vectors (B, D), each distinct vector encoded once."""
        distinct, places = np.unique(vectors, axis=0, return_inverse=True)
        encoded = self.prompt.encode(torch.from_numpy(distinct).to(self.unet.device))
        return encoded[torch.from_numpy(places.reshape(-1)).to(self.unet.device)]

    def denoise(self, latents: Tensor, prompts: Tensor, fresh_noise: FreshNoise) -> Tensor:
        """Returns the latents of pictures, float32 (B, C, h, w).

        Args:
            latents: standard-normal float32 (B, C, h, w).
            prompts: (B, tokens, width), as `encode` returns them.
            fresh_noise: gives noise of the same kind and shape to a step; few-step sampling alone asks for it.
        """
        predict = guided(self.unet, prompts, self._empty_prompt, self._guidance)
        return self.scheduler.denoise(predict, latents, fresh_noise)


def load_identity_diffusion(
    *,
    weights: Path,
    base: Path,
    lora: Path | None,
    tiny_vae: Path | None,
    scheduler: LatentScheduler,
    guidance: float,
    device: torch.device,
    dtype: torch.dtype,
    compile: bool,
) -> IdentityDiffusion:
    """Loads the networks that `synth.generators.arc2face.Arc2Face` describes; arguments as there.

    Raises:
        WeightsError: a file is missing or damaged, or the networks do not fit each other.
    """
    unet = load_unet(weights / "arc2face", device, dtype)
    if lora is not None:
        merge_lora(unet, tensors_of(read_checkpoint(lora), lora), lora)
    prompt = IdentityPrompt(load_text_model(weights / "encoder", device, dtype), base / "tokenizer")
    autoencoder = (
        load_autoencoder(base / "vae", device, dtype)
        if tiny_vae is None
        else load_tiny_autoencoder(tiny_vae, device, dtype)
    )
    decoder = PictureDecoder(autoencoder)
    found = unet.config.cross_attention_dim, unet.config.in_channels, unet.config.out_channels
    if found != (prompt.width, decoder.channels, decoder.channels):
        raise WeightsError(
            f"{weights}: the denoising network takes prompts {found[0]} wide and {found[1]} latent channels, encoder "
            f"and vae make {prompt.width} and {decoder.channels}; they are parts of different models"
        )
    if compile:
        compile_networks([unet, decoder])
    return IdentityDiffusion(unet=unet, prompt=prompt, decoder=decoder, scheduler=scheduler, guidance=guidance)
