"""Which files a published folder of one network holds; known without torch, so that configurations are checked fast."""

from __future__ import annotations

from pathlib import Path
from typing import Final

CONFIG: Final = "config.json"
WEIGHTS: Final = "diffusion_pytorch_model.safetensors"
_ENCODER_WEIGHTS: Final = ("model.safetensors", "pytorch_model.bin")


def encoder_weights(folder: Path) -> Path:
    """Returns the weights of a text model's folder: safetensors where there are, else as published."""
    first, published = (folder / name for name in _ENCODER_WEIGHTS)
    return first if first.is_file() else published
