"""The ways from noise to a latent that take all steps, or few of even size, given a network that predicts the noise."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from torch import Tensor

from synth.dpm_solver import PredictNoise
from synth.idiff.schedule import NoiseSchedule


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


def spaced_steps(total: int, num_steps: int) -> list[int]:
    """Returns steps of 0..total-1, evenly spaced and falling to 0; published where `num_steps` divides `total`."""
    return [number * total // num_steps for number in reversed(range(num_steps))]
