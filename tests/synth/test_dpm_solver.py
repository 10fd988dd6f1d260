import pytest

pytest.importorskip("diffusers", reason="the extra 'diffusion' is not installed")

import torch
from diffusers.schedulers import DPMSolverMultistepScheduler

from synth.dpm_solver import dpm_solver, dpm_steps

BETAS = torch.linspace(1e-4, 0.02, 1000)
ALPHA_BARS = torch.cumprod(1 - BETAS, dim=0)
START = torch.randn((2, 4, 8, 8), generator=torch.Generator().manual_seed(0))


def predict(latents, step):
    return torch.tanh(latents * (0.5 + step / 1000))


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of numpy 2, in diffusers
@pytest.mark.parametrize("steps", [1, 2, 5, 12, 25])
def test_steps_and_latents_are_those_of_diffusers(steps):
    theirs = DPMSolverMultistepScheduler(
        trained_betas=BETAS.numpy(), timestep_spacing="linspace", final_sigmas_type="zero"
    )
    theirs.set_timesteps(steps)
    expected = [START]
    for step in theirs.timesteps:
        expected.append(theirs.step(predict(expected[-1], int(step)), step, expected[-1]).prev_sample)

    found = list(dpm_solver(predict, START, ALPHA_BARS, steps))

    assert dpm_steps(1000, steps) == theirs.timesteps.tolist()
    assert len(found) == steps
    for ours, wanted in zip(found, expected[1:], strict=True):
        assert (ours - wanted).abs().max() < 1e-5 * wanted.abs().max()


@pytest.mark.parametrize("steps", [0, 1000])
def test_steps_that_a_schedule_does_not_have_are_refused(steps):
    with pytest.raises(ValueError, match=f"steps {steps}: expected 1 to 999"):
        dpm_steps(1000, steps)
