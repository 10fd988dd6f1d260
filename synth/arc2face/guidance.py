"""Noise prediction with classifier-free guidance."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from synth.dpm_solver import PredictNoise


def guided(unet: nn.Module, prompts: Tensor, empty_prompt: Tensor, guidance: float) -> PredictNoise:
    """Returns a function that predicts the noise in latents.

    Ho and Salimans (2022), "Classifier-Free Diffusion Guidance", in the form of Stable Diffusion: the difference that
    the prompt makes, times `guidance`, is added to the prediction without it. Both are one batch of 2 B rows.

    Args:
        unet: the denoising network.
        prompts: (B, tokens, width), in the network's dtype.
        empty_prompt: (1, tokens, width).
        guidance: 1 predicts with the prompts alone, from B rows.

    Returns:
        A function of float32 latents (B, C, h, w) and a timestep that returns float32 (B, C, h, w).
    """
    is_guided = guidance != 1
    conditions = torch.cat([empty_prompt.expand_as(prompts), prompts]) if is_guided else prompts

    def predict(latents: Tensor, timestep: int) -> Tensor:
        rows = torch.cat([latents, latents]) if is_guided else latents
        step = torch.full((), timestep, device=latents.device)  # as a number each one would be compiled for itself
        rows = rows.to(prompts.dtype, memory_format=torch.channels_last)
        noise: Tensor = unet(rows, step, encoder_hidden_states=conditions, return_dict=False)[0].float()
        if not is_guided:
            return noise
        without, with_prompt = noise.chunk(2)
        return without + guidance * (with_prompt - without)

    return predict
