"""Embeds decoded faces with a backbone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from synth.precision import Precision
from synth.torch_runtime import DTYPES
from synth.training.augmentation.batch import network_input, planes
from synth.training.backbones.base import Backbone
from synth.types import Images


def features(
    backbone: Backbone, faces: Images, *, device: torch.device, precision: Precision, flip: bool
) -> npt.NDArray[np.float32]:
    """Returns the embeddings of one batch of aligned faces, of any length.

    Args:
        backbone: in evaluation mode, on the device.
        faces: uint8 (B, H, W, 3), RGB.
        device: where it computes.
        precision: of the backbone.
        flip: add the embedding of the mirrored face, as evaluations of face recognisers do.

    Returns:
        float32 (B, E).
    """
    mixed = torch.autocast(device.type, DTYPES[precision], enabled=precision != "float32")
    with torch.inference_mode(), mixed:
        inputs = network_input(planes(torch.from_numpy(faces).to(device)), backbone.input_size)
        found = backbone(inputs).float()
        if flip:
            found = found + backbone(inputs.flip(3)).float()
        array: npt.NDArray[np.float32] = found.cpu().numpy()
    return array
