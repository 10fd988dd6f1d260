"""iResNet checkpoints with random weights, in the layout of the published ones."""

from pathlib import Path

import safetensors.torch
import torch
from torch import nn

from synth.networks.adaface import AdaFace
from synth.networks.iresnet import DEPTHS, IResNet


def write_iresnet(path: Path, *, full_size: bool = False, seed: int = 0) -> IResNet:
    """Writes a checkpoint and returns the network in it, in evaluation mode.

    Args:
        path: .safetensors, or anything else for what `torch.save` writes.
        full_size: IResNet-100 as published, 261 MB; otherwise a small one with the same names, 1.7 MB.
        seed: of the random weights; all differ from their defaults.
    """
    network = IResNet(DEPTHS["iresnet100"]) if full_size else IResNet((1, 2, 1, 1), (8, 8, 16, 16), stem=8)
    randomise(network, seed)
    tensors = network.state_dict()
    if path.suffix == ".safetensors":
        safetensors.torch.save_file(tensors, path)
    else:
        torch.save(tensors, path)
    return network.eval()


def write_adaface(path: Path, *, seed: int = 0) -> AdaFace:
    """Writes a small checkpoint as AdaFace's training does, and returns the network in it, in evaluation mode."""
    network = AdaFace((1, 2, 1, 1), (8, 12, 16, 20))
    randomise(network, seed)
    tensors = {f"model.{name}": value for name, value in network.state_dict().items()}
    torch.save({"epoch": 25, "state_dict": tensors | {"head.kernel": torch.zeros(512, 10)}}, path)
    return network.eval()


def randomise(network: nn.Module, seed: int) -> None:
    """Draws all weights and statistics of a network, none of them as they are by default."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in sorted(network.state_dict().items()):
            if not tensor.is_floating_point():
                continue
            if tensor.ndim > 1:
                tensor.normal_(generator=random).mul_(tensor[0].numel() ** -0.5)
            elif name.endswith(("running_var", "weight")):
                tensor.uniform_(0.5, 1.5, generator=random)
            else:
                tensor.normal_(generator=random).mul_(0.1)
