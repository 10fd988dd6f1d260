"""Embeds decoded faces with a backbone."""

from __future__ import annotations

import numpy as np
import torch

from synth.precision import Precision
from synth.similarity import unit
from synth.torch_runtime import DTYPES
from synth.training.augmentation.batch import network_input, planes
from synth.training.backbones.base import Backbone
from synth.types import Embeddings, Images


def embed(
    backbone: Backbone,
    images: Images,
    *,
    device: torch.device | str = "cpu",
    precision: Precision = "float32",
    flip: bool = True,
    batch_size: int = 128,
) -> Embeddings:
    """Returns the embeddings of aligned faces.

    Args:
        backbone: in evaluation mode, on the device.
        images: uint8 (N, H, W, 3), RGB.
        device: where it computes.
        precision: of the backbone.
        flip: add the embedding of the mirrored face, as evaluations of face recognisers do.
        batch_size: faces computed at once.

    Returns:
        float32 (N, E) of unit length.
    """
    device = torch.device(device)
    mixed = torch.autocast(device.type, DTYPES[precision], enabled=precision != "float32")
    parts = []
    with torch.inference_mode(), mixed:
        for start in range(0, len(images), batch_size):
            part = torch.from_numpy(images[start : start + batch_size]).to(device)
            faces = network_input(planes(part), backbone.input_size)
            features = backbone(faces).float()
            if flip:
                features = features + backbone(faces.flip(3)).float()
            parts.append(features.cpu().numpy())
    return unit(np.concatenate(parts))
