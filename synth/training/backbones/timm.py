"""Backbones of the timm library, by name."""

from __future__ import annotations

import difflib
import importlib
from typing import Any

import torch
from torch import Tensor, nn

from synth.errors import ComponentError, WeightsError
from synth.extras import require_extra
from synth.training.backbones.base import Backbone


class Timm(Backbone):
    """Any image classifier of timm (PyTorch Image Models): its last layer gives embeddings instead of classes.

    A normalisation without parameters follows, as in other backbones: embeddings have a length near the root of E.
    Transformers and others that are made for one size of image are made for `input_size`; not all can be.

    Args:
        name: as timm knows it, like 'resnet18' or 'vit_tiny_patch16_224.augreg_in21k'.
        pretrained: start with weights that timm downloads from the Hugging Face Hub: see there what they were trained
            on and under which licence. They expect other colour statistics than -1..1, which training makes up for.
        input_size: side of the faces, px.
        embedding_size: E.

    Raises:
        ValueError: timm has no such model or it cannot take faces of that size.
        ComponentError: timm or torchvision is not installed or does not work here.
        WeightsError: the pretrained weights cannot be had.
    """

    def __init__(
        self, *, name: str, pretrained: bool = False, input_size: int = 112, embedding_size: int = 512
    ) -> None:
        super().__init__()
        if input_size < 1 or embedding_size < 1:
            raise ValueError(f"input_size {input_size}, embedding_size {embedding_size}: expected at least 1")
        self.input_size = input_size
        self.embedding_size = embedding_size
        self.network: nn.Module = _network(name, pretrained, input_size, embedding_size)
        self.norm = nn.BatchNorm1d(embedding_size, affine=False)

    def forward(self, faces: Tensor) -> Tensor:
        """Embeds aligned faces: (B, 3, S, S), RGB, -1..1, to (B, E)."""
        embeddings: Tensor = self.norm(self.network(faces).float())
        return embeddings


def _network(name: str, pretrained: bool, input_size: int, embedding_size: int) -> Any:  # noqa: ANN401
    timm = _library()
    if not timm.is_model(name):
        close = difflib.get_close_matches(name, timm.list_models(), n=3)
        raise ValueError(f"name {name!r}: timm has no such model{f'; near it are {close}' if close else ''}")
    published = timm.get_pretrained_cfg(name)
    size = {"img_size": input_size} if published is not None and published.fixed_input_size else {}
    try:
        network = timm.create_model(name, pretrained=pretrained, num_classes=embedding_size, **size)
        with torch.inference_mode():
            network.eval()(torch.zeros(1, 3, input_size, input_size))
    except OSError as error:
        raise WeightsError(f"timm {name}: no pretrained weights: {error}") from error
    except (AssertionError, IndexError, RuntimeError, TypeError, ValueError) as error:  # each model has its own way
        raise ValueError(f"name {name!r}, input_size {input_size}: does not work: {error}") from error
    return network.train()


def _library() -> Any:  # noqa: ANN401
    require_extra("timm", "timm", "torchvision")
    try:
        return importlib.import_module("timm")
    except (ImportError, RuntimeError) as error:
        raise ComponentError(
            f"timm cannot be imported: {error}; torchvision has to be the release that was made for this torch"
        ) from error
