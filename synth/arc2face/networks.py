"""Builds the networks of Stable Diffusion from their published folders: described by a config, filled strictly."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import torch
from diffusers.models import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel

from synth.arc2face.configs import read_config
from synth.arc2face.weight_files import CONFIG, WEIGHTS, encoder_weights
from synth.errors import WeightsError
from synth.weights.checkpoints import load_strictly, read_checkpoint, tensors_of

_TEXT_PREFIX: Final = "text_model."
_POSITIONS: Final = "embeddings.position_ids"  # a constant that files of transformers < 4.31 hold as well
_OLD_ATTENTION: Final = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}

NetworkT = TypeVar("NetworkT", bound=nn.Module)


def load_unet(folder: Path, device: torch.device, dtype: torch.dtype) -> UNet2DConditionModel:
    """Loads the denoising network, channels last.

    Args:
        folder: with config.json and diffusion_pytorch_model.safetensors.
        device: where to.
        dtype: which its weights are cast to.

    Raises:
        WeightsError: a file is missing or damaged, or the weights do not fit the config.
    """
    unet = _built(UNet2DConditionModel, folder / CONFIG)
    path = folder / WEIGHTS
    return _filled(unet, tensors_of(read_checkpoint(path), path), path, device, dtype)


def load_autoencoder(folder: Path, device: torch.device, dtype: torch.dtype) -> AutoencoderKL:
    """Loads the autoencoder, channels last; arguments and errors as of `load_unet`.

    Files from before diffusers 0.15, the published one of Stable Diffusion 1.5 among them, name the attention's
    layers differently.
    """
    path = folder / WEIGHTS
    tensors = {_attention_name(name): tensor for name, tensor in tensors_of(read_checkpoint(path), path).items()}
    return _filled(_built(AutoencoderKL, folder / CONFIG), tensors, path, device, dtype)


def load_tiny_autoencoder(folder: Path, device: torch.device, dtype: torch.dtype) -> AutoencoderTiny:
    """Loads the small autoencoder of the same latents, TAESD, channels last; arguments and errors as of `load_unet`."""
    path = folder / WEIGHTS
    tensors = tensors_of(read_checkpoint(path), path)
    return _filled(_built(AutoencoderTiny, folder / CONFIG), tensors, path, device, dtype)


def load_text_model(folder: Path, device: torch.device, dtype: torch.dtype) -> CLIPTextModel:
    """Loads CLIP's text model; arguments and errors as of `load_unet`.

    It is the plain class, and its names are mapped here: transformers 5 renames old ones by the name of the class,
    and leaves the weights of any subclass random.

    Args:
        folder: with config.json and model.safetensors or pytorch_model.bin.
        device: where to.
        dtype: which its weights are cast to.
    """
    path = encoder_weights(folder)
    text = _built(CLIPTextModel, folder / CONFIG)
    names = {name.removeprefix(_TEXT_PREFIX): name for name in text.state_dict()}
    tensors = {}
    for name, tensor in tensors_of(read_checkpoint(path), path).items():
        bare = name.removeprefix(_TEXT_PREFIX)
        if bare != _POSITIONS:
            tensors[names.get(bare, name)] = tensor
    return _filled(text, tensors, path, device, dtype)


def _built(kind: type[NetworkT], path: Path) -> NetworkT:
    """Returns a network as its config.json describes it, without any memory for its weights."""
    config = read_config(path)
    try:
        with torch.device("meta"):
            if not issubclass(kind, CLIPTextModel):
                return kind(**_known(config, kind))
            if config["hidden_size"] % config["num_attention_heads"]:
                raise ValueError(f"{config['num_attention_heads']} heads share a width of {config['hidden_size']}")
            return kind(CLIPTextConfig(**_known(config, CLIPTextConfig)))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, NotImplementedError, RuntimeError) as error:
        raise WeightsError(f"{path}: describes no {kind.__name__} ({error}); get it again") from error


def _known(config: Mapping[str, Any], kind: type[Any]) -> dict[str, Any]:
    """Returns the settings a class takes; files also hold versions, and settings of other releases."""
    parameters = inspect.signature(kind).parameters
    return {name: value for name, value in config.items() if name in parameters}


def _filled(
    network: NetworkT, tensors: Mapping[str, Tensor], path: Path, device: torch.device, dtype: torch.dtype
) -> NetworkT:
    """Gives a network memory on the device, loads it and makes it ready to compute."""
    nn.Module.to(network, dtype=dtype)  # diffusers' own `to` warns of casts, whatever the model
    network.to_empty(device=device)
    load_strictly(network, tensors, path)
    return network.to(memory_format=torch.channels_last).eval().requires_grad_(False)  # type: ignore[call-overload, no-any-return]


def _attention_name(name: str) -> str:
    """Returns the present name of a tensor of the autoencoder."""
    head, _, last = name.rpartition(".")
    parent, _, layer = head.rpartition(".")
    if ".attentions." in name and layer in _OLD_ATTENTION:
        return f"{parent}.{_OLD_ATTENTION[layer]}.{last}"
    return name
