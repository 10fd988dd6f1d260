import math
import os
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch

from synth.dpm_solver import dpm_solver
from synth.idiff.guidance import GuidedUNet
from synth.idiff.schedule import NoiseSchedule
from synth.idiff.schedulers import ddim, ddim_step, ddpm, spaced_steps
from synth.networks.latent_unet_loading import load_latent_unet

PARITY = Path(os.environ.get("SYNTH_SHARED", Path(__file__).parents[4] / "shared")) / "parity" / "idiff"
SCHEDULE = NoiseSchedule.linear()


def difference(found, expected):
    return float((found - expected).abs().max() / expected.abs().max())


def parity():
    path = PARITY / "io.npz"
    if not path.is_file():
        pytest.skip(f"no parity data at {path}")
    unet, schedule = load_latent_unet(PARITY / "checkpoints" / "ema_averaged_model.ckpt")
    with np.load(path) as arrays:
        return {key: torch.from_numpy(arrays[key]) for key in arrays}, unet, NoiseSchedule.stored(schedule)


@torch.inference_mode()
def test_ddpm_with_the_stored_noise_ends_where_the_published_code_does():
    expected, unet, schedule = parity()
    predict = GuidedUNet(unet, unet.embed(expected["context"]))

    latents = list(ddpm(predict, expected["x_T"], schedule, lambda step: expected["z"][step]))

    assert difference(latents[-1], expected["x0"]) < 1e-5
    for found, stored in zip(latents[:3], expected["steps_x"], strict=True):
        assert difference(found, stored) < 1e-5


@torch.inference_mode()
def test_guided_ddpm_with_the_stored_noise_ends_where_the_published_code_does():
    expected, unet, schedule = parity()
    rows = len(expected["x_T"])
    predict = GuidedUNet(unet, unet.embed(expected["context"]), unet.empty_context(rows), guidance=1.5)

    *_, latents = ddpm(predict, expected["x_T"], schedule, lambda step: expected["z"][step])

    assert difference(latents, expected["x0_cfg15"]) < 1e-5
    assert difference(expected["x0"], expected["x0_cfg15"]) > 2e-5


def test_the_linear_schedule_is_the_one_that_checkpoints_hold():
    expected, _, _ = parity()

    for name, value in asdict(NoiseSchedule.linear(25)).items():
        # Square roots and logarithms of torch round by the processor: the last bit or two may be another's.
        torch.testing.assert_close(value, expected[name], rtol=3e-7, atol=0, msg=name)


def of_normal_images(mean, deviation):
    """Returns the exact noise predictor where images are normal, and their mean and deviation."""

    def predict(latents, step):
        bar = SCHEDULE.alpha_bars[step].item()
        variance = bar * deviation**2 + 1 - bar
        return math.sqrt(1 - bar) * (latents - math.sqrt(bar) * mean) / variance

    return predict


START = torch.linspace(-2, 2, 15).view(1, 1, 3, 5)


def test_schedulers_without_noise_agree_on_where_a_smooth_field_leads():
    predict = of_normal_images(mean=0.3, deviation=0.5)
    # The field carries quantiles of the noise to those of the images.
    exact = 0.3 + 0.5 * START

    *_, all_steps = ddim(predict, START, SCHEDULE, 1000)
    *_, first_order = ddim(predict, START, SCHEDULE, 50)
    *_, second_order = dpm_solver(predict, START, SCHEDULE.alpha_bars, 50)

    assert difference(all_steps, exact) < 0.005
    assert difference(first_order, exact) < 0.06
    assert difference(second_order, exact) < 0.002


def test_ddpm_makes_images_of_the_distribution():
    generator = torch.Generator().manual_seed(5)
    start = torch.randn((1, 1, 200, 200), generator=generator)

    *_, latents = ddpm(
        of_normal_images(mean=0.3, deviation=0.5),
        start,
        SCHEDULE,
        lambda _: torch.randn(start.shape, generator=generator),
    )

    assert latents.mean().item() == pytest.approx(0.3, abs=0.01)
    assert latents.std().item() == pytest.approx(0.5, abs=0.01)


def test_ddpm_asks_for_noise_above_step_one_alone():
    asked = []

    def noise(step):
        asked.append(step)
        return torch.zeros_like(START)

    assert len(list(ddpm(of_normal_images(0.0, 1.0), START, NoiseSchedule.linear(30), noise))) == 30
    assert asked == list(range(29, 1, -1))


def test_a_step_to_no_noise_is_the_image():
    image, noise = torch.full((1, 1, 2, 2), 0.7), torch.full((1, 1, 2, 2), -1.3)
    latents = math.sqrt(0.2) * image + math.sqrt(0.8) * noise

    assert torch.allclose(ddim_step(latents, noise, 0.2, 1.0), image)


def test_steps_are_spaced_as_published():
    assert spaced_steps(1000, 50) == list(range(980, -1, -20))
    assert spaced_steps(10, 10) == list(range(9, -1, -1))
    assert spaced_steps(10, 4) == [7, 5, 2, 0]
