import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from synth.networks.latent_unet import LatentUNet, UNetLayout
from synth.networks.latent_unet_loading import SCHEDULE_TENSORS, layout_of, load_latent_unet

SHARED = Path(os.environ.get("SYNTH_SHARED", Path(__file__).parents[4] / "shared"))
PARITY = SHARED / "parity"
LISTINGS = SHARED / "research" / "statedict"
CHECKPOINTS = {
    "idiff": PARITY / "idiff" / "checkpoints" / "ema_averaged_model.ckpt",
    "uiface": PARITY / "uiface" / "ema_averaged_model.ckpt",
}
PUBLISHED = {
    "idiff_ca": UNetLayout(),
    "idiff_adagn": UNetLayout(conditioning="adagn"),
    "uiface": UNetLayout(learned_empty_context=True),
}


def difference(found, expected):
    return float((found - expected).abs().max() / expected.abs().max())


def stored(name):
    path = PARITY / name / "io.npz"
    if not path.is_file():
        pytest.skip(f"no parity data at {path}")
    with np.load(path) as arrays:
        return {key: torch.from_numpy(arrays[key]) for key in arrays}


@pytest.mark.parametrize(("name", "empty"), [("idiff", "eps_uncond"), ("uiface", "eps_empty")])
@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last], ids=["rows", "channels_last"])
def test_noise_is_that_of_the_published_code(name, empty, memory):
    expected = stored(name)
    unet, _ = load_latent_unet(CHECKPOINTS[name])
    unet.to(memory_format=memory)
    rows = len(expected["x_T"])

    with torch.inference_mode():
        noise = unet(expected["x_T"], expected["t"], unet.embed(expected["context"]))
        noise_of_nobody = unet(expected["x_T"], expected["t"], unet.empty_context(rows))

    assert difference(noise, expected["eps"]) < 1e-5
    assert difference(noise_of_nobody, expected[empty]) < 1e-5
    # The two lie close together: 1e-5 of their size must be well below what sets them apart.
    assert difference(noise, noise_of_nobody) > 1e-4


@pytest.mark.parametrize("name", PUBLISHED)
def test_names_and_shapes_at_full_size_are_the_published_ones(name):
    path = LISTINGS / f"{name}.json"
    if not path.is_file():
        pytest.skip(f"no listing at {path}")
    listed = {key: tuple(entry["shape"]) for key, entry in json.loads(path.read_text())["keys"].items()}

    with torch.device("meta"):
        unet = LatentUNet(PUBLISHED[name])
    names = {key: tuple(value.shape) for key, value in unet.state_dict().items()}
    if name != "uiface":
        names = {f"eps_model.{key}": shape for key, shape in names.items()}
        names |= dict.fromkeys(SCHEDULE_TENSORS, (1000,))

    assert names == listed


@pytest.mark.parametrize(
    "layout",
    [
        *PUBLISHED.values(),
        UNetLayout(channels=64, multipliers=(1, 2, 1), attention=(True, False, True), blocks=3, head_channels=16),
        UNetLayout(channels=32, multipliers=(1,), attention=(True,), blocks=1, latent_channels=4, context_size=128),
    ],
)
def test_the_size_follows_from_the_tensors(layout):
    with torch.device("meta"):
        tensors = LatentUNet(layout).state_dict()

    assert layout_of(tensors, head_channels=layout.head_channels) == layout


def test_a_step_for_all_rows_is_the_same_as_one_for_each():
    torch.manual_seed(3)
    layout = UNetLayout(channels=32, multipliers=(1, 2), attention=(False, True), blocks=1, context_channels=32)
    unet = LatentUNet(layout).eval()
    latents, context = torch.randn(2, 3, 8, 8), torch.randn(2, 32)

    with torch.inference_mode():
        once = unet(latents, torch.tensor([7]), context)
        each = unet(latents, torch.tensor([7, 7]), context)

    assert difference(once, each) < 1e-5


class Onlooker:
    """Sees all logits and changes none."""

    def __init__(self):
        self.seen = []

    def self_attention(self, logits):
        self.seen.append(("self", tuple(logits.shape)))
        return logits

    def cross_attention(self, logits):
        self.seen.append(("cross", tuple(logits.shape)))
        return logits


def test_an_editor_sees_the_logits_of_every_block_and_an_idle_one_changes_nothing():
    torch.manual_seed(3)
    layout = UNetLayout(channels=32, multipliers=(1, 2), attention=(False, True), blocks=1, context_channels=32)
    unet = LatentUNet(layout).eval()
    latents, steps, context = torch.randn(2, 3, 8, 8), torch.tensor([7]), torch.randn(2, 32)
    onlooker = Onlooker()

    with torch.inference_mode():
        watched = unet(latents, steps, context, onlooker)
        alone = unet(latents, steps, context)

    assert difference(watched, alone) < 1e-5
    # One block down, the middle, two up; the last one has 32 channels, which make one head.
    blocks = [("self", (2, 2, 16, 16)), ("cross", (2, 2, 16, 32))] * 3
    assert onlooker.seen == [*blocks, ("self", (2, 1, 16, 16)), ("cross", (2, 1, 16, 32))]
