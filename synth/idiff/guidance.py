"""Steers a denoising network towards a person, and away from nobody or from somebody else."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class GuidedUNet:
    """Predicts noise for a batch of people: classifier-free guidance, Ho and Salimans (2022), equation 6.

    The prediction is `(1 - guidance) * noise(away) + guidance * noise(context)`. With other people's contexts in
    place of the empty one it is that of NegFaceDiff (Caldeira et al. 2025), whose w is `guidance` - 1.

    Args:
        unet: of the signature of `LatentUNet`, or that compiled.
        context: embedded contexts of the people, (B, C).
        away: embedded contexts to steer away from, (B, C); None where `guidance` is 1 and takes one pass.
        guidance: strength; 1 is none.
    """

    def __init__(self, unet: nn.Module, context: Tensor, away: Tensor | None = None, guidance: float = 1.0) -> None:
        self.unet = unet
        self.contexts = context if away is None else torch.cat([away, context])
        self.is_guided = away is not None
        self.guidance = guidance

    def __call__(self, latents: Tensor, step: int) -> Tensor:
        """Returns the noise in latents (B, C, H, W) at a step, float32."""
        steps = torch.full((1,), step, device=latents.device)
        inputs = latents.to(self.contexts.dtype)
        if not self.is_guided:
            noise: Tensor = self.unet(inputs, steps, self.contexts)
            return noise.float()
        away, towards = self.unet(torch.cat([inputs, inputs]), steps, self.contexts).float().chunk(2)
        result: Tensor = (1 - self.guidance) * away + self.guidance * towards
        return result
