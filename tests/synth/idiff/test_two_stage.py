import os
from pathlib import Path

import numpy as np
import pytest
import torch

from synth.idiff import two_stage
from synth.idiff.schedule import NoiseSchedule
from synth.idiff.schedulers import ddim_step
from synth.idiff.two_stage import two_stage_ddim
from synth.networks.latent_unet import LatentUNet, UNetLayout
from synth.networks.latent_unet_loading import load_latent_unet

PARITY = Path(os.environ.get("SYNTH_SHARED", Path(__file__).parents[4] / "shared")) / "parity" / "uiface"
SCHEDULE = NoiseSchedule.linear()


def difference(found, expected):
    return float((found - expected).abs().max() / expected.abs().max())


@pytest.fixture(scope="module")
def unet():
    torch.manual_seed(8)
    layout = UNetLayout(
        channels=32,
        multipliers=(1, 2),
        attention=(False, True),
        blocks=1,
        context_channels=32,
        learned_empty_context=True,
    )
    unet = LatentUNet(layout).eval()
    with torch.no_grad():
        unet.empty_context_embedding.normal_()
    return unet


@torch.inference_mode()
def test_ten_steps_end_where_the_published_code_does():
    path = PARITY / "io.npz"
    if not path.is_file():
        pytest.skip(f"no parity data at {path}")
    unet, _ = load_latent_unet(PARITY / "ema_averaged_model.ckpt")
    with np.load(path) as arrays:
        start, context, expected = (torch.from_numpy(arrays[name]) for name in ("x_T", "context", "x0_2stage_10steps"))

    *_, latents = two_stage_ddim(unet, start, unet.embed(context), SCHEDULE, 10, guidance=2.0)

    assert difference(latents, expected) < 1e-5


@torch.inference_mode()
def test_the_person_is_unseen_until_the_attention_settles(unet, monkeypatch):
    start, context = torch.randn(2, 3, 8, 8), torch.randn(2, 32)
    empty = unet.empty_context(2)

    monkeypatch.setattr(two_stage, "SETTLED", -1.0)
    first_half = list(two_stage_ddim(unet, start, context, SCHEDULE, 10, 2.0))[:5]
    of_nobody = list(two_stage_ddim(unet, start, empty, SCHEDULE, 10, 2.0))[:5]
    monkeypatch.setattr(two_stage, "SETTLED", 1.0)
    settled = list(two_stage_ddim(unet, start, context, SCHEDULE, 10, 2.0))[:5]

    assert all(torch.equal(a, b) for a, b in zip(first_half, of_nobody, strict=True))
    # The first two steps find out that it has settled; from the third on it is seen.
    assert [torch.equal(a, b) for a, b in zip(settled, of_nobody, strict=True)] == [True, True, False, False, False]


@torch.inference_mode()
def test_the_share_of_noise_is_looked_up_one_step_early(unet):
    start = torch.randn(1, 3, 8, 8)
    empty = unet.empty_context(1)

    first, *_ = two_stage_ddim(unet, start, empty, SCHEDULE, 10, 2.0)

    noise = unet(start, torch.tensor([900]), empty)
    bars = SCHEDULE.alpha_bars
    assert difference(first, ddim_step(start, noise, bars[900].item(), bars[799].item())) < 1e-5
    assert difference(first, ddim_step(start, noise, bars[900].item(), bars[800].item())) > 1e-4


def test_the_layout_of_another_pass_is_taken_over():
    torch.manual_seed(1)
    own, other = torch.randn(2, 1, 4, 4), torch.randn(2, 1, 4, 4)
    recorder = two_stage._Recorder()
    recorder.self_attention(other)
    recorder.cross_attention(other)

    near = two_stage._NearLayout(recorder)

    assert torch.equal(near.self_attention(own), other)
    moved = near.cross_attention(own)
    assert torch.allclose(moved.mean(-1), (own.mean(-1) + other.mean(-1)) / 2, atol=1e-6)
    assert torch.allclose(moved.std(-1), (own.std(-1) + other.std(-1)) / 2, atol=1e-6)
    assert torch.equal(moved.argsort(-1), own.argsort(-1))


def test_the_focus_is_where_tokens_attend_most():
    logits = torch.zeros(1, 2, 16, 4)
    logits[:, :, 5] = 3.0  # second row, second column of 4 x 4 places

    focus = two_stage._focus([logits])

    assert focus.shape == (1, 32, 32)
    assert focus.min() == 0
    assert focus.max() == 1
    assert focus[0].argmax() in [row * 32 + column for row in range(8, 16) for column in range(8, 16)]
