import json
import os
from pathlib import Path

import pytest

pytest.importorskip("diffusers", reason="the extra 'diffusion' is not installed")

import torch
from diffusers.models import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file
from transformers import CLIPTextConfig, CLIPTextModel

from synth.arc2face.networks import load_autoencoder, load_text_model
from tests.synth.generators.arc2face_checkpoint import (
    SMALL_TEXT,
    SMALL_VAE,
    TEXT,
    UNET,
    VAE,
    published_vae_name,
    write_encoder,
    write_model,
)

SHARED = Path(os.environ.get("SYNTH_SHARED", Path(__file__).parents[4] / "shared"))
LISTINGS = SHARED / "research" / "statedict"
CPU = torch.device("cpu")


def listing(name):
    path = LISTINGS / f"{name}.json"
    if not path.is_file():
        pytest.skip(f"no listing at {path}")
    return {key: tuple(entry["shape"]) for key, entry in json.loads(path.read_text())["keys"].items()}


def shapes(network, prefix=""):
    return {prefix + name.removeprefix(prefix): tuple(value.shape) for name, value in network.state_dict().items()}


def test_full_size_denoising_network_has_the_published_names_and_shapes():
    with torch.device("meta"):
        assert shapes(UNet2DConditionModel(**UNET)) == listing("arc2face_unet")


def test_full_size_encoder_has_the_published_names_and_shapes():
    with torch.device("meta"):
        assert shapes(CLIPTextModel(CLIPTextConfig(**TEXT)), "text_model.") == listing("arc2face_encoder")


def test_full_size_autoencoder_has_the_number_of_weights_of_stable_diffusion():
    with torch.device("meta"):
        assert sum(weight.numel() for weight in AutoencoderKL(**VAE).parameters()) == 83_653_863


def test_autoencoders_load_by_their_old_names_and_by_the_new(tmp_path):
    old = write_model(tmp_path / "old", AutoencoderKL, SMALL_VAE, torch.float32, 0, rename=published_vae_name)
    new = write_model(tmp_path / "new", AutoencoderKL, SMALL_VAE, torch.float32, 0)
    old_names = set(load_file(old / "diffusion_pytorch_model.safetensors"))

    loaded = [load_autoencoder(folder, CPU, torch.float32).state_dict() for folder in (old, new)]

    assert "decoder.mid_block.attentions.0.proj_attn.weight" in old_names
    assert loaded[0].keys() == loaded[1].keys()
    assert all(torch.equal(value, loaded[1][name]) for name, value in loaded[0].items())


def test_the_autoencoder_computes_what_diffusers_loads_by_itself(tmp_path):
    folder = write_model(tmp_path, AutoencoderKL, SMALL_VAE, torch.float32, 0, rename=published_vae_name)
    latents = torch.linspace(-1, 1, 4 * 8 * 8).view(1, 4, 8, 8)

    theirs = AutoencoderKL.from_pretrained(folder, local_files_only=True)
    ours = load_autoencoder(folder, CPU, torch.float32)

    with torch.inference_mode():
        assert torch.allclose(ours.decode(latents).sample, theirs.decode(latents).sample, atol=1e-5)


def test_every_weight_of_the_encoder_comes_from_its_file(tmp_path):
    write_encoder(tmp_path, SMALL_TEXT, torch.float32, 0)
    stored = torch.load(tmp_path / "pytorch_model.bin", weights_only=True)

    loaded = load_text_model(tmp_path, CPU, torch.float32).state_dict()

    assert len(loaded) == len(stored)
    for name, value in stored.items():
        assert torch.equal(loaded[name.removeprefix("text_model.")], value), name
    assert load_text_model(tmp_path, CPU, torch.float32).config.hidden_act == "quick_gelu"
