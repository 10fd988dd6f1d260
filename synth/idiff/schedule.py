"""How much noise each step of a diffusion mixes in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

import torch
from torch import Tensor

LINEAR_STEPS = 1000
_BETAS = (1e-4, 0.02)  # of the first and the last of 1000 steps


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseSchedule:
    """Numbers of each step of a diffusion, float32 (T,) all; the names and symbols are those of IDiff-Face.

    Attributes:
        betas: share of the variance that is new noise (Ho, Jain and Abbeel 2020, "Denoising diffusion probabilistic
            models", equation 2).
        alphas: 1 - beta.
        sigmas: sqrt(beta), deviation of the noise that a step of `ddpm` adds.
        sqrt_alphas_inv: 1 / sqrt(alpha).
        alpha_bars: product of the alphas up to the step: the share of the image in the variance.
        sqrt_alpha_bars: its root.
        sqrt_one_minus_alpha_bars: root of the share of the noise.
        one_minus_alphas_over_sqrt_one_minus_alpha_bars: beta / sqrt(1 - alpha bar).
    """

    betas: Tensor
    alphas: Tensor
    sigmas: Tensor
    sqrt_alphas_inv: Tensor
    alpha_bars: Tensor
    sqrt_alpha_bars: Tensor
    sqrt_one_minus_alpha_bars: Tensor
    one_minus_alphas_over_sqrt_one_minus_alpha_bars: Tensor

    @classmethod
    def linear(cls, steps: int = LINEAR_STEPS) -> Self:
        """Returns the schedule whose betas grow evenly, as of Ho et al. (2020), section 4.

        Args:
            steps: T, above 20: fewer steps would take betas above 1.
        """
        first, last = (beta * LINEAR_STEPS / steps for beta in _BETAS)
        betas = torch.linspace(first, last, steps, dtype=torch.float32)
        alphas = 1 - betas
        alpha_bars = torch.cumsum(torch.log(alphas), dim=0).exp()
        return cls(
            betas=betas,
            alphas=alphas,
            sigmas=betas.sqrt(),
            sqrt_alphas_inv=1 / alphas.sqrt(),
            alpha_bars=alpha_bars,
            sqrt_alpha_bars=alpha_bars.sqrt(),
            sqrt_one_minus_alpha_bars=(1 - alpha_bars).sqrt(),
            one_minus_alphas_over_sqrt_one_minus_alpha_bars=(1 - alphas) / (1 - alpha_bars).sqrt(),
        )

    @classmethod
    def stored(cls, tensors: Mapping[str, Tensor]) -> Self:
        """Returns the schedule that a checkpoint holds under the names of the attributes."""
        return cls(**{field.name: tensors[field.name].float() for field in fields(cls)})

    @property
    def num_steps(self) -> int:
        """T."""
        return len(self.betas)
