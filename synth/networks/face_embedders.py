"""Reads checkpoints of face embedders, whichever of our networks they are for."""

from __future__ import annotations

from pathlib import Path

from synth.networks.adaface import AdaFace, adaface_for
from synth.networks.iresnet import IResNet, iresnet_for
from synth.weights.checkpoints import built_from, read_checkpoint, tensors_of

_ADAFACE = "model."  # its training writes the network under this name, beside its head


def load_face_embedder(path: Path) -> IResNet | AdaFace:
    """Reads a checkpoint of arcface_torch, ElasticFace or AdaFace; the network is in evaluation mode, float32.

    Args:
        path: .safetensors, or what `torch.save` wrote.

    Raises:
        WeightsError: the file is missing, damaged or of another network.
    """
    tensors = tensors_of(read_checkpoint(path), path, under="state_dict")
    if f"{_ADAFACE}input_layer.0.weight" in tensors:
        tensors = tensors_of(tensors, path, prefix=_ADAFACE)
    if "input_layer.0.weight" in tensors:
        return built_from(tensors, path, adaface_for)
    return built_from(tensors, path, iresnet_for)
