"""Takes the noise out of latents, in many steps or in few."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final, TypeAlias

from torch import Tensor

from synth.arc2face.noise_schedule import NoiseSchedule
from synth.dpm_solver import PredictNoise, dpm_solver, dpm_steps

FreshNoise: TypeAlias = Callable[[int], Tensor]  # number of a step, from 1 -> standard-normal (B, C, h, w)


class LatentScheduler(ABC):
    """Turns noise into latents of pictures.

    Attributes:
        timesteps: at which the noise is predicted, falling.
    """

    timesteps: list[int]

    @abstractmethod
    def denoise(self, predict: PredictNoise, latents: Tensor, fresh_noise: FreshNoise) -> Tensor:
        """Returns latents without noise.

        Args:
            predict: tells the noise in latents at a timestep.
            latents: standard-normal float32 (B, C, h, w).
            fresh_noise: gives the noise that is added in a step; schedulers that add none do not ask.
        """


class DpmSolver(LatentScheduler):
    """DPM-Solver++(2M) with timesteps spread evenly from the last one to, but without, the first ("linspace").

    diffusers takes other timesteps where a configuration was saved by another of its releases, and pictures differ.

    Args:
        schedule: that the network was trained with.
        steps: network evaluations, at least 1 and less than the schedule's timesteps.

    Raises:
        ValueError: there are too few or too many steps.
    """

    def __init__(self, schedule: NoiseSchedule, steps: int) -> None:
        self.timesteps = dpm_steps(schedule.num_train_timesteps, steps)
        self._alphas = schedule.alphas_cumprod()

    def denoise(self, predict: PredictNoise, latents: Tensor, fresh_noise: FreshNoise) -> Tensor:
        """Returns latents without noise; adds none on the way."""
        denoised = latents
        for denoised in dpm_solver(predict, latents, self._alphas, len(self.timesteps)):  # noqa: B007, the last is wanted
            pass
        return denoised


class LatentConsistency(LatentScheduler):
    """Multistep consistency sampling, for networks distilled to it: pictures in 2 to 4 steps.

    Luo, Tan, Huang, Li and Zhao (2023), "Latent Consistency Models: Synthesizing High-Resolution Images with Few-Step
    Inference", section 4 and algorithm 3; boundary scalings as of the published models, sigma_data 0.5 and timesteps
    times 10. Each step predicts the picture, then noise is added up to the next timestep.

    Args:
        schedule: that the network was trained with.
        steps: network evaluations, 1 to 50.

    Raises:
        ValueError: there are too few or too many steps.
    """

    TRAINED_STEPS: Final = 50  # of the solver that the published models were distilled from
    SIGMA_DATA: Final = 0.5
    TIMESTEP_SCALE: Final = 10.0

    def __init__(self, schedule: NoiseSchedule, steps: int) -> None:
        if not 1 <= steps <= self.TRAINED_STEPS:
            raise ValueError(f"steps {steps}: expected 1 to {self.TRAINED_STEPS}; a consistency model needs 2 to 4")
        self._alphas: list[float] = schedule.alphas_cumprod().double().tolist()
        stride = schedule.num_train_timesteps // self.TRAINED_STEPS
        trained = [stride * number - 1 for number in range(self.TRAINED_STEPS, 0, -1)]
        self.timesteps = [trained[number * self.TRAINED_STEPS // steps] for number in range(steps)]

    def denoise(self, predict: PredictNoise, latents: Tensor, fresh_noise: FreshNoise) -> Tensor:
        """Returns latents without noise; asks for noise once a step but the last."""
        for step, timestep in enumerate(self.timesteps):
            latents = self._consistent(latents, predict(latents, timestep), timestep)
            if step + 1 < len(self.timesteps):
                alpha = self._alphas[self.timesteps[step + 1]]
                latents = math.sqrt(alpha) * latents + math.sqrt(1 - alpha) * fresh_noise(step + 1)
        return latents

    def _consistent(self, latents: Tensor, noise: Tensor, timestep: int) -> Tensor:
        """Returns the consistency function's value: the predicted picture, near timestep 0 the latents themselves."""
        alpha = self._alphas[timestep]
        picture = (latents - math.sqrt(1 - alpha) * noise) / math.sqrt(alpha)
        scaled = timestep * self.TIMESTEP_SCALE
        total = scaled**2 + self.SIGMA_DATA**2
        return scaled / math.sqrt(total) * picture + self.SIGMA_DATA**2 / total * latents
