"""Random checkpoints in the layout that IDiff-Face publishes."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import torch
import yaml
from torch import Tensor, nn

from synth.idiff.schedule import NoiseSchedule
from synth.networks.latent_unet import LatentUNet, UNetLayout
from synth.networks.vq_first_stage import FirstStageDecoder

FULL_UNET = UNetLayout()
SMALL_UNET = UNetLayout(channels=32, multipliers=(1, 2), attention=(False, True), blocks=1, context_channels=32)


def write_checkpoint(
    folder: Path,
    *,
    full_size: bool = False,
    seed: int = 0,
    image_size: int = 128,
    num_steps: int = 1000,
    layout: UNetLayout | None = None,
) -> tuple[Path, Path]:
    """Writes a UNet with its noise schedule and configuration, and the decoder of a first stage.

    Args:
        folder: to write in; it is made.
        full_size: whether the networks have the published widths (1 GB) or the smallest ones (1 MB).
        seed: of the weights.
        image_size: side of the pictures, px, a multiple of 8.
        num_steps: T of the noise schedule.
        layout: of the UNet, in place of the one that `full_size` says; with a learned empty context the file is
            written as UIFace does, without schedule and configuration.

    Returns:
        The values of the options `weights` and `first_stage`: a folder (of UIFace: a file) and a file.
    """
    layout = layout or (FULL_UNET if full_size else SMALL_UNET)
    with torch.device("meta"):
        unet = LatentUNet(layout)
        decoder = FirstStageDecoder((128, 256, 512), 2, 8192) if full_size else FirstStageDecoder((32, 32, 32), 1, 64)
    generator = torch.Generator().manual_seed(seed)
    first_stage = folder / "autoencoder" / "first_stage_decoder_state_dict.pt"
    first_stage.parent.mkdir(parents=True)
    torch.save(random_weights(decoder, generator), first_stage)
    weights = random_weights(unet, generator)
    if layout.learned_empty_context:
        path = folder / "ema_averaged_model_250000.ckpt"
        torch.save(weights, path)
        return path, first_stage
    model = folder / "trained_models" / "unet-cond-ca-bs512-150K-cpd25"
    (model / "checkpoints").mkdir(parents=True)
    schedule = asdict(NoiseSchedule.linear(num_steps))
    stored = schedule | {f"eps_model.{name}": value for name, value in weights.items()}
    torch.save(stored, model / "checkpoints" / "ema_averaged_model.ckpt")
    (model / ".hydra").mkdir()
    (model / ".hydra" / "config.yaml").write_text(_configuration(layout, image_size, num_steps))
    return model, first_stage


def random_weights(module: nn.Module, generator: torch.Generator) -> dict[str, Tensor]:
    """Returns a state dictionary that keeps the variance of what goes through the module, about."""
    return {name: _random(name, value.shape, generator) for name, value in module.state_dict().items()}


def _random(name: str, shape: torch.Size, generator: torch.Generator) -> Tensor:
    numbers = torch.randn(shape, generator=generator)
    if len(shape) == 1:
        is_scale = "norm" in name and name.endswith("weight")
        return 0.1 * numbers + float(is_scale)
    fan_in = shape[1:].numel()
    return numbers * (1.0 if "quantize" in name else fan_in**-0.5)


def _configuration(layout: UNetLayout, image_size: int, num_steps: int) -> str:
    model = {
        "_target_": "models.diffusion.unet.ConditionalUNet",
        "input_channels": layout.latent_channels,
        "initial_channels": layout.channels,
        "channel_multipliers": list(layout.multipliers),
        "is_attention": list(layout.attention),
        "attention_heads": -1,
        "attention_head_channels": layout.head_channels,
        "n_blocks_per_resolution": layout.blocks,
        "condition_type": "CA" if layout.conditioning == "cross_attention" else "AdaGN",
        "context_input_channels": layout.context_size,
        "context_channels": layout.context_channels,
    }
    diffusion = {"eps_model": "${model}", "T": num_steps, "schedule_type": "linear"}
    constants = {"image_size": image_size, "input_channels": 3}
    return yaml.safe_dump({"constants": constants, "model": model, "diffusion": diffusion}, sort_keys=False)
