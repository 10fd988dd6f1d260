import pytest

pytest.importorskip("diffusers", reason="the extra 'diffusion' is not installed")

import torch
from diffusers.schedulers import DPMSolverMultistepScheduler, LCMScheduler

from synth.arc2face.noise_schedule import NoiseSchedule
from synth.arc2face.schedulers import DpmSolver, LatentConsistency

SCHEDULE = NoiseSchedule(0.00085, 0.012, "scaled_linear", 1000)
SHAPE = (2, 4, 8, 8)


def predict(latents, timestep):
    return torch.tanh(latents * (0.5 + timestep / 1000))


def random(seed):
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed))


def stepped(scheduler, steps, **options):
    """Returns what a diffusers scheduler makes of the same start."""
    scheduler.set_timesteps(steps)
    latents = random(0)
    for timestep in scheduler.timesteps:
        latents = scheduler.step(predict(latents, timestep), timestep, latents, **options).prev_sample
    return latents


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("steps", [1, 2, 5, 25])
def test_dpm_solver_is_that_of_diffusers(steps):
    theirs = stepped(DPMSolverMultistepScheduler(**SCHEDULE.settings(), timestep_spacing="linspace"), steps)

    ours = DpmSolver(SCHEDULE, steps).denoise(predict, random(0), random)

    assert (ours - theirs).abs().max() < 1e-5 * theirs.abs().max()


def test_dpm_solver_starts_each_batch_anew():
    scheduler = DpmSolver(SCHEDULE, 4)

    first, second = (scheduler.denoise(predict, random(0), random) for _ in range(2))

    assert torch.equal(first, second)


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 8])
def test_latent_consistency_is_that_of_diffusers(steps):
    published = LCMScheduler(**SCHEDULE.settings(), set_alpha_to_one=False, steps_offset=1)
    theirs = stepped(published, steps, generator=torch.Generator().manual_seed(7))
    in_turn = torch.Generator().manual_seed(7)
    scheduler = LatentConsistency(SCHEDULE, steps)

    ours = scheduler.denoise(predict, random(0), lambda step: torch.randn(SHAPE, generator=in_turn))

    assert scheduler.timesteps == published.timesteps.tolist()
    assert (ours - theirs).abs().max() < 1e-5 * theirs.abs().max()


def test_latent_consistency_asks_for_noise_in_all_steps_but_the_last():
    asked = []

    def fresh_noise(step):
        asked.append(step)
        return random(step)

    LatentConsistency(SCHEDULE, 4).denoise(predict, random(0), fresh_noise)

    assert asked == [1, 2, 3]


@pytest.mark.parametrize("steps", [0, 51])
def test_latent_consistency_refuses_steps_it_was_not_distilled_from(steps):
    with pytest.raises(ValueError, match=f"steps {steps}: expected 1 to 50"):
        LatentConsistency(SCHEDULE, steps)
