import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from synth.networks.vq_first_stage import FirstStageDecoder, FirstStageEncoder, load_decoder, load_encoder

SHARED = Path(os.environ.get("SYNTH_SHARED", Path(__file__).parents[4] / "shared"))
PARITY = SHARED / "parity" / "idiff"


def difference(found, expected):
    return float((found - expected).abs().max() / expected.abs().max())


def stored():
    path = PARITY / "io.npz"
    if not path.is_file():
        pytest.skip(f"no parity data at {path}")
    with np.load(path) as arrays:
        return {key: torch.from_numpy(arrays[key]) for key in arrays}


def test_latents_become_the_pictures_of_the_published_code():
    expected = stored()
    decoder = load_decoder(PARITY / "autoencoder" / "first_stage_decoder_state_dict.pt")

    with torch.inference_mode():
        codes = decoder.quantize.closest(expected["dec_latent"])
        images = (decoder(expected["dec_latent"]).clamp(-1, 1) + 1) / 2

    assert torch.equal(codes.flatten(), expected["dec_codes"])
    assert difference(images, expected["dec_image01"]) < 1e-5


def test_pictures_become_the_latents_of_the_published_code():
    expected = stored()
    encoder = load_encoder(PARITY / "autoencoder" / "first_stage_encoder_state_dict.pt")

    with torch.inference_mode():
        latents = encoder(expected["enc_image"])

    assert difference(latents, expected["enc_latent"]) < 1e-5


@pytest.mark.parametrize(
    ("name", "build"),
    [
        ("idiff_vq_encoder", lambda: FirstStageEncoder((128, 256, 512), 2)),
        ("idiff_vq_decoder", lambda: FirstStageDecoder((128, 256, 512), 2, 8192)),
    ],
)
def test_names_and_shapes_at_full_size_are_the_published_ones(name, build):
    path = SHARED / "research" / "statedict" / f"{name}.json"
    if not path.is_file():
        pytest.skip(f"no listing at {path}")
    listed = {key: tuple(entry["shape"]) for key, entry in json.loads(path.read_text())["keys"].items()}

    with torch.device("meta"):
        module = build()

    assert {key: tuple(value.shape) for key, value in module.state_dict().items()} == listed


def test_each_place_takes_the_closest_code_and_a_picture_is_as_many_times_larger_as_declared():
    torch.manual_seed(2)
    decoder = FirstStageDecoder((32, 32), 1, 50).eval()
    latents = torch.randn(11, 3, 4, 4)

    with torch.inference_mode():
        codes, images = decoder.quantize.closest(latents), decoder(latents)

    places = latents.permute(0, 2, 3, 1)[..., None, :]
    assert torch.equal(codes, (places - decoder.quantize.embedding.weight).square().sum(-1).argmin(-1))
    assert decoder.factor == 2
    assert images.shape == (11, 3, 8, 8)


def test_latents_of_the_same_codes_give_the_same_picture():
    torch.manual_seed(2)
    decoder = FirstStageDecoder((32, 32), 1, 50).eval()
    codes = decoder.quantize.embedding.weight[torch.arange(16)].T.reshape(1, 3, 4, 4)

    with torch.inference_mode():
        assert torch.equal(decoder(codes), decoder(codes + 1e-4))
