"""The noise schedule that a Stable Diffusion model was trained with, read from its base folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from synth.arc2face.configs import read_config
from synth.errors import WeightsError

BETAS = ("linear", "scaled_linear", "squaredcos_cap_v2")


@dataclass(frozen=True, slots=True)
class NoiseSchedule:
    """How much noise each timestep has; nothing of how it is taken away, that is a scheduler's matter.

    Attributes:
        beta_start: variance added by the first timestep.
        beta_end: variance added by the last.
        beta_schedule: how it grows between them, one of `BETAS`.
        num_train_timesteps: how many timesteps there are.
    """

    beta_start: float
    beta_end: float
    beta_schedule: str
    num_train_timesteps: int

    def alphas_cumprod(self) -> torch.Tensor:
        """Returns float32 (num_train_timesteps,), the share of a picture's variance left at each timestep."""
        from diffusers.schedulers import DPMSolverMultistepScheduler

        alphas: torch.Tensor = DPMSolverMultistepScheduler(**self.settings()).alphas_cumprod
        return alphas

    def settings(self) -> dict[str, Any]:
        """Returns the schedule as a diffusers scheduler takes it."""
        return {
            "beta_start": self.beta_start,
            "beta_end": self.beta_end,
            "beta_schedule": self.beta_schedule,
            "num_train_timesteps": self.num_train_timesteps,
        }


def read_noise_schedule(path: Path) -> NoiseSchedule:
    """Reads the schedule from a scheduler_config.json.

    The file also names the scheduler it was saved with and that one's settings. They are not used: they change from
    one release of diffusers to another, and images with them.

    Raises:
        WeightsError: the file is missing or says no schedule that Stable Diffusion can have.
    """
    config = read_config(path)
    start, end = _number(config, "beta_start", path), _number(config, "beta_end", path)
    steps = config.get("num_train_timesteps", 1000)
    if not 0 < start <= end < 1:
        raise WeightsError(f"{path}: beta_start {start}, beta_end {end}; expected 0 < beta_start <= beta_end < 1")
    if config.get("beta_schedule") not in BETAS or not isinstance(steps, int) or steps < 2:
        raise WeightsError(
            f"{path}: beta_schedule {config.get('beta_schedule')!r} with {steps!r} timesteps; "
            f"expected one of {', '.join(BETAS)} with at least 2"
        )
    predicted = config.get("prediction_type", "epsilon")
    if predicted != "epsilon" or config.get("trained_betas") is not None:
        raise WeightsError(
            f"{path}: prediction_type {predicted!r} or trained_betas of another model than Stable Diffusion 1.5; "
            "use the base that the weights were tuned from"
        )
    return NoiseSchedule(start, end, config["beta_schedule"], steps)


def _number(config: Mapping[str, Any], name: str, path: Path) -> float:
    value = config.get(name)
    if not isinstance(value, int | float):
        raise WeightsError(f"{path}: {name} is {value!r}, expected a number; it is no scheduler of Stable Diffusion")
    return float(value)
