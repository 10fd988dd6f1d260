"""Trained recognisers as files: safetensors whose header says which backbone they are of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import safetensors
import safetensors.torch
from torch import Tensor

from synth import components
from synth.components import ComponentSpec
from synth.errors import ComponentError, WeightsError
from synth.plain_json import read_plain_json
from synth.training.backbones.base import Backbone
from synth.weights.checkpoints import load_strictly, read_checkpoint, tensors_of
from synth.whole_files import whole_file

_KEY: Final = "synth"
_FORMAT: Final = 1
_FETCHED: Final = "pretrained"  # option of backbones that begin with weights of a hub: the file replaces them


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """What a model file says about itself.

    Attributes:
        backbone: type and options.
        embedding_size: E.
        space: name of the embedding space: vectors of one training are useless to another.
        trained_on: what made it, in words or numbers: dataset, identities, images, head, batch size.
    """

    backbone: ComponentSpec
    embedding_size: int
    space: str
    trained_on: Mapping[str, Any]


def save_model(path: Path, tensors: Mapping[str, Tensor], description: ModelDescription) -> None:
    """Writes a backbone's tensors under their own names, RGB faces of -1..1 its input; whole or not at all."""
    options = {name: value for name, value in description.backbone.options.items() if name != _FETCHED}
    header = {
        "format": _FORMAT,
        "backbone": {"type": description.backbone.type, **options},
        "embedding_size": description.embedding_size,
        "space": description.space,
        "trained_on": dict(description.trained_on),
    }
    whole = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    with whole_file(path) as unfinished:
        safetensors.torch.save_file(whole, unfinished, {_KEY: json.dumps(header, sort_keys=True)})


def read_description(path: Path) -> ModelDescription:
    """Reads what a model file says about itself.

    Raises:
        WeightsError: the file is missing, or no model that synth trained.
    """
    if not path.is_file():
        raise WeightsError(f"{path}: missing; `synth train` writes model.safetensors into its folder")
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            header = read_plain_json((file.metadata() or {})[_KEY])
        if header["format"] != _FORMAT:
            raise ValueError(f"format {header['format']!r}, this version of synth reads {_FORMAT}")
        options = dict(header["backbone"])
        spec = ComponentSpec("backbone", options.pop("type"), options)
        size, space = int(header["embedding_size"]), str(header["space"])
        return ModelDescription(spec, size, space, dict(header["trained_on"]))
    except (safetensors.SafetensorError, OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise WeightsError(
            f"{path}: no model that `synth train` wrote ({type(error).__name__}: {error}); a backbone of arcface_torch "
            "is read by `type: iresnet`"
        ) from error


def load_model(path: Path) -> Backbone:
    """Reads a trained backbone; it is in evaluation mode, float32, on the CPU.

    Raises:
        WeightsError: the file is missing, damaged, or its tensors are of another backbone than it says.
    """
    spec = read_description(path).backbone
    try:
        backbone: Backbone = components.build(spec)
    except ComponentError as error:
        raise WeightsError(f"{path}: its backbone cannot be built: {error}") from error
    load_strictly(backbone, tensors_of(read_checkpoint(path), path), path)
    return backbone.eval()
