"""Our numbers against those of the published code, on its reduced checkpoint."""

import os
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("diffusers", reason="the extra 'diffusion' is not installed")

import torch

from synth.generators.arc2face import Arc2Face

SHARED = Path(os.environ.get("SYNTH_SHARED", Path(__file__).parents[4] / "shared"))
FOLDER = SHARED / "parity" / "arc2face"

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no reference outputs at {FOLDER}")


@pytest.fixture(scope="module")
def stored():
    with np.load(FOLDER / "io.npz") as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def published():
    return Arc2Face(weights=str(FOLDER), base=str(FOLDER / "base"))


def model(**options):
    return Arc2Face(weights=str(FOLDER), base=str(FOLDER / "base"), **options).model


def distance(found, expected):
    """Returns the largest error over the largest value."""
    return np.abs(found.numpy() - expected).max() / np.abs(expected).max()


def no_noise(step):
    raise AssertionError("DPM-Solver++ adds no noise")


def denoised(networks, stored):
    with torch.inference_mode():
        prompts = networks.encode(stored["id_emb"])
        return networks.denoise(torch.from_numpy(stored["latents"]), prompts, no_noise)


def test_prompts_are_those_of_the_published_encoder(published, stored):
    with torch.inference_mode():
        assert distance(published.model.encode(stored["id_emb"]), stored["prompt_embeds"]) < 1e-5
        assert distance(published.model.prompt.encode_empty(), stored["uncond_embeds"]) < 1e-5


def test_predicted_noise_is_that_of_the_published_network(published, stored):
    latents, timesteps = (torch.from_numpy(stored[name]) for name in ("latents", "t"))
    prompts = torch.from_numpy(stored["prompt_embeds"])

    with torch.inference_mode():
        noise = published.model.unet(latents, timesteps, encoder_hidden_states=prompts).sample

    assert distance(noise, stored["eps"]) < 1e-5


def test_25_steps_end_in_the_published_latents(published, stored):
    assert published.model.scheduler.timesteps == stored["dpm25_timesteps"].tolist()
    assert distance(denoised(published.model, stored), stored["latents_dpm25_cfg3"]) < 1e-4


def test_4_steps_end_in_the_published_latents_and_picture(stored):
    networks = model(steps=4)

    latents = denoised(networks, stored)
    with torch.inference_mode():
        pictures = networks.decoder.pictures(latents, torch.float32).numpy()

    assert distance(latents, stored["latents_dpm4_cfg3"]) < 1e-4
    # As diffusers rounds; the value nearest to a half level may fall on either side.
    difference = np.abs(pictures - np.round(stored["image_dpm4_cfg3"] * 255))
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.001


def test_without_guidance_4_steps_end_in_the_published_latents(stored):
    assert distance(denoised(model(steps=4, guidance=1.0), stored), stored["latents_dpm4_nocfg"]) < 1e-4
