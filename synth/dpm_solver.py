"""DPM-Solver++(2M): from noise to a latent in few steps, given a network that predicts the noise."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TypeAlias

import torch
from torch import Tensor

PredictNoise: TypeAlias = Callable[[Tensor, int], Tensor]
"""Takes latents (B, C, H, W) and the step 0..T-1 they are at; returns the noise in them, of the same shape."""


def dpm_steps(total: int, num_steps: int) -> list[int]:
    """Returns the steps of a schedule of `total` that the solver stops at, falling: evenly from the last, without 0.

    Args:
        total: T.
        num_steps: 1..T-1.

    Raises:
        ValueError: there are too few or too many steps.
    """
    if not 1 <= num_steps < total:
        raise ValueError(f"steps {num_steps}: expected 1 to {total - 1}")
    spaced = torch.linspace(0, total - 1, num_steps + 1, dtype=torch.float64).round().long().flip(0)
    steps: list[int] = spaced[:-1].tolist()
    return steps


def dpm_solver(predict: PredictNoise, latents: Tensor, alpha_bars: Tensor, num_steps: int) -> Iterator[Tensor]:
    """Goes back in few steps: Lu et al. (2022), "DPM-Solver++", algorithm 2.

    The first and the last step are of first order; the last one ends at the image itself.

    Args:
        predict: predicts the noise in latents.
        latents: float32 (B, C, H, W), standard-normal noise.
        alpha_bars: (T,), share of the image in the variance at each step; on the CPU.
        num_steps: 1..T-1.

    Yields:
        The latents after each step, `num_steps` times.

    Raises:
        ValueError: there are too few or too many steps.
    """
    steps = dpm_steps(len(alpha_bars), num_steps)
    bars = alpha_bars.double()
    signal, spread = bars.sqrt(), (1 - bars).sqrt()
    depth = (signal / spread).log()  # lambda, half the logarithm of the signal-to-noise ratio
    image_before, stride_before = None, 0.0
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        image = (latents - spread[step].item() * predict(latents, step)) / signal[step].item()
        if following is None:
            latents = image
        else:
            stride = (depth[following] - depth[step]).item()
            target = image
            if image_before is not None:
                ratio = stride_before / stride
                target = (1 + 1 / (2 * ratio)) * image - 1 / (2 * ratio) * image_before
            shrink = (spread[following] / spread[step]).item()
            latents = shrink * latents - signal[following].item() * math.expm1(-stride) * target
            image_before, stride_before = image, stride
        yield latents
