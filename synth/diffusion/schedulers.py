"""Schedulers: the ways from noise to a latent, given a network that predicts the noise."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TypeAlias

import torch
from torch import Tensor

from synth.diffusion.schedule import NoiseSchedule

PredictNoise: TypeAlias = Callable[[Tensor, int], Tensor]
"""Takes latents (B, C, H, W) and the step 0..T-1 they are at; returns the noise in them, of the same shape."""


def ddpm(
    predict: PredictNoise, latents: Tensor, schedule: NoiseSchedule, noise: Callable[[int], Tensor]
) -> Iterator[Tensor]:
    """Goes back step by step, with fresh noise at each: Ho, Jain and Abbeel (2020), algorithm 2, as IDiff-Face does.

    The variance of the fresh noise is beta; other than in the algorithm, the last but one step adds none either.

    Args:
        predict: predicts the noise in latents.
        latents: float32 (B, C, H, W), standard-normal noise.
        schedule: on the CPU.
        noise: returns standard-normal noise (B, C, H, W) for a step; asked for steps above 1.

    Yields:
        The latents after each step, T times.
    """
    for step in reversed(range(schedule.num_steps)):
        share = schedule.one_minus_alphas_over_sqrt_one_minus_alpha_bars[step]
        latents = schedule.sqrt_alphas_inv[step] * (latents - share * predict(latents, step))
        if step > 1:
            latents = latents + schedule.sigmas[step] * noise(step)
        yield latents


def ddim(predict: PredictNoise, latents: Tensor, schedule: NoiseSchedule, num_steps: int) -> Iterator[Tensor]:
    """Goes back in evenly spaced steps without fresh noise: Song, Meng and Ermon (2021), equation 12 with sigma 0.

    Args:
        predict: predicts the noise in latents.
        latents: float32 (B, C, H, W), standard-normal noise.
        schedule: on the CPU.
        num_steps: 1..T.

    Yields:
        The latents after each step, `num_steps` times.
    """
    steps = spaced_steps(schedule.num_steps, num_steps)
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        target = 1.0 if following is None else schedule.alpha_bars[following].item()
        latents = ddim_step(latents, predict(latents, step), schedule.alpha_bars[step].item(), target)
        yield latents


def ddim_step(latents: Tensor, noise: Tensor, alpha_bar: float, target: float) -> Tensor:
    """Returns latents whose share of noise is 1 - `alpha_bar` with a share of 1 - `target`, given that noise."""
    image = (latents - (1 - alpha_bar) ** 0.5 * noise) / alpha_bar**0.5
    result: Tensor = target**0.5 * image + (1 - target) ** 0.5 * noise
    return result


def dpm_solver(predict: PredictNoise, latents: Tensor, schedule: NoiseSchedule, num_steps: int) -> Iterator[Tensor]:
    """Goes back in few steps: DPM-Solver++(2M), Lu et al. (2022), "DPM-Solver++", algorithm 2.

    The first and the last step are of first order; the last one ends at the image itself.

    Args:
        predict: predicts the noise in latents.
        latents: float32 (B, C, H, W), standard-normal noise.
        schedule: on the CPU.
        num_steps: 1..T-1.

    Yields:
        The latents after each step, `num_steps` times.
    """
    last = schedule.num_steps - 1
    steps = torch.linspace(0, last, num_steps + 1, dtype=torch.float64).round().long().flip(0)[:-1].tolist()
    bars = schedule.alpha_bars.double()
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


def spaced_steps(total: int, num_steps: int) -> list[int]:
    """Returns steps of 0..total-1, evenly spaced and falling to 0; published where `num_steps` divides `total`."""
    return [number * total // num_steps for number in reversed(range(num_steps))]
