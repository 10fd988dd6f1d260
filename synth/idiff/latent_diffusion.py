"""Pictures of people from their vectors: noise, UNet and scheduler, first stage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from synth import noise
from synth.dpm_solver import dpm_solver
from synth.errors import WeightsError
from synth.idiff.guidance import GuidedUNet
from synth.idiff.negatives import negative_vectors
from synth.idiff.options import Sampling
from synth.idiff.published_folder import Training, checkpoint_in, read_training
from synth.idiff.schedule import NoiseSchedule
from synth.idiff.schedulers import ddim, ddpm
from synth.idiff.two_stage import two_stage_ddim
from synth.networks.latent_unet import LatentUNet
from synth.networks.latent_unet_loading import load_latent_unet
from synth.networks.vq_first_stage import FirstStageDecoder, load_decoder
from synth.torch_runtime import require_finite
from synth.types import Images, Vectors

# Streams of a sample's seed; the fresh noise of step i of `ddpm` has stream i.
START_STREAM: Final = 1 << 31
NEGATIVE_STREAM: Final = START_STREAM + 1


class LatentDiffusion:
    """A denoising network, its noise schedule, a first stage, and how to sample from them.

    Args:
        unet: in evaluation mode, in the dtype it computes in.
        decoder: in evaluation mode, on the same device.
        schedule: on the CPU.
        image_size: side of the pictures, px.
        sampling: how to sample.
        others: float32 (N, D), unit L2 norm, for the negatives that are chosen; on the same device.

    Raises:
        ValueError: the sampling does not go with the networks.
    """

    def __init__(
        self,
        unet: LatentUNet,
        decoder: FirstStageDecoder,
        schedule: NoiseSchedule,
        image_size: int,
        sampling: Sampling,
        others: Tensor | None = None,
    ) -> None:
        if sampling.two_stage and unet.empty_context_embedding is None:
            raise ValueError("two_stage needs weights with a learned empty context, like UIFace's")
        self.unet = unet
        self.decoder = decoder
        self.schedule = schedule
        self.num_steps = sampling.num_steps(schedule.num_steps)
        self.sampling = sampling
        self._others = others
        side = image_size // decoder.factor
        self._shape = (unet.layout.latent_channels, side, side)

    @torch.inference_mode()
    def generate(self, vectors: Vectors, seeds: npt.NDArray[np.uint64]) -> Images:
        """Returns a picture a row, uint8 RGB (B, H, W, 3).

        Args:
            vectors: float32 (B, D), unit L2 norm.
            seeds: uint64 (B,), below 2**63.
        """
        device = self.unet.final.weight.device
        keys = noise.seeds_to(seeds, device)
        latents = self._latents(torch.tensor(vectors, device=device), keys)
        decoded = self.decoder(latents)
        require_finite(decoded)
        images: Images = to_pixels(decoded).cpu().numpy()
        return images

    def _latents(self, vectors: Tensor, seeds: Tensor) -> Tensor:
        """Returns denoised latents, float32 (B, C, h, w)."""
        start = noise.normal(seeds, START_STREAM, self._shape)
        latents = start
        for latents in self._steps(vectors, seeds, start):  # noqa: B007, the last ones are wanted
            pass
        return latents

    def _steps(self, vectors: Tensor, seeds: Tensor, start: Tensor) -> Iterator[Tensor]:
        sampling, schedule = self.sampling, self.schedule
        context = self.unet.embed(vectors)
        if sampling.two_stage:
            return two_stage_ddim(self.unet, start, context, schedule, self.num_steps, sampling.guidance)
        predict = GuidedUNet(self.unet, context, self._away(vectors, seeds), sampling.guidance)
        if sampling.scheduler == "ddpm":
            return ddpm(predict, start, schedule, lambda step: noise.normal(seeds, step, self._shape))
        if sampling.scheduler == "dpm":
            return dpm_solver(predict, start, schedule.alpha_bars, self.num_steps)
        return ddim(predict, start, schedule, self.num_steps)

    def _away(self, vectors: Tensor, seeds: Tensor) -> Tensor | None:
        """Returns the embedded contexts to steer away from; None where there is no guidance."""
        if self.sampling.guidance == 1:
            return None
        negatives = negative_vectors(self.sampling.negative, vectors, seeds, NEGATIVE_STREAM, self._others)
        return self.unet.empty_context(len(vectors)) if negatives is None else self.unet.embed(negatives)


def to_pixels(images: Tensor) -> Tensor:
    """Returns images (B, 3, H, W), -1..1, as uint8 (B, H, W, 3), rounded to the nearest level."""
    unit = (images.float().clamp(-1, 1) + 1) / 2
    return (unit * 255 + 0.5).to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def load_latent_diffusion(
    weights: Path,
    first_stage: Path,
    sampling: Sampling,
    others: Vectors | None = None,
    *,
    device: torch.device,
    dtype: torch.dtype,
) -> LatentDiffusion:
    """Reads the checkpoints of a UNet and of the decoding half of its first stage.

    Args:
        weights: checkpoint, or the folder of its training.
        first_stage: .pt or .safetensors of the decoder.
        sampling: how to sample.
        others: float32 (N, D), unit L2 norm, for the negatives that are chosen.
        device: to compute on.
        dtype: which the networks compute in.

    Raises:
        WeightsError: a file is missing, damaged or of another network, or the two do not fit each other.
        ValueError: the sampling does not go with the networks.
    """
    checkpoint = checkpoint_in(weights)
    training = read_training(checkpoint)
    unet, stored = load_latent_unet(checkpoint, training.head_channels)
    schedule = NoiseSchedule.stored(stored) if stored else _published_schedule(checkpoint, training)
    decoder = load_decoder(first_stage)
    _check_sizes(checkpoint, unet, first_stage, decoder, training.image_size)
    unet.to(device=device, dtype=dtype)
    decoder.to(device)
    decoder.set_precision(dtype)
    for network in (unet, decoder):
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    vectors = None if others is None else torch.from_numpy(others).to(device)
    return LatentDiffusion(unet, decoder, schedule, training.image_size, sampling, vectors)


def _published_schedule(checkpoint: Path, training: Training) -> NoiseSchedule:
    if training.schedule != "linear" or training.num_steps <= 20:
        raise WeightsError(
            f"{checkpoint}: holds no noise schedule, and its training had one of {training.num_steps} steps, "
            f"'{training.schedule}'; without stored numbers only 'linear' ones above 20 steps are known"
        )
    return NoiseSchedule.linear(training.num_steps)


def _check_sizes(
    checkpoint: Path, unet: LatentUNet, first_stage: Path, decoder: FirstStageDecoder, image_size: int
) -> None:
    channels, wanted = decoder.post_quant_conv.in_channels, unet.layout.latent_channels
    if channels != wanted:
        raise WeightsError(
            f"{first_stage}: decodes latents of {channels} channels, {checkpoint} makes {wanted}; they do not belong "
            "together"
        )
    multiple = decoder.factor * 2 ** (len(unet.layout.multipliers) - 1)
    if image_size % multiple:
        raise WeightsError(f"{checkpoint}: made for pictures of {image_size} px, not a multiple of {multiple}")
