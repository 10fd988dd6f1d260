"""UIFace's sampling in two stages: first the picture's layout without the person, then the person in it.

Lin et al. (2025), "UIFace: Unleashing Inherent Model Capabilities to Enhance Intra-Class Diversity in Synthetic Face
Recognition"; followed where the published program departs from the paper, so that it makes the same pictures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from synth.idiff.schedule import NoiseSchedule
from synth.idiff.schedulers import ddim_step, spaced_steps
from synth.networks.latent_unet import LatentUNet

SETTLED = 0.006
"""Change of the map of attention to the context below which a sample's layout counts as settled."""

_MAP_SIDE = 32  # px, of the map of attention to the context


def two_stage_ddim(
    unet: LatentUNet, latents: Tensor, context: Tensor, schedule: NoiseSchedule, num_steps: int, guidance: float
) -> Iterator[Tensor]:
    """Goes back in evenly spaced steps, in two stages.

    In the first half of the schedule a sample sees the empty context until its attention to the context changes no
    more from step to step, and its person from then on, with the self-attention of the empty context. In the second
    half classifier-free guidance, where the person's pass takes over the self-attention of the empty context and, by
    half, the mean and deviation of its cross-attention.

    Args:
        unet: conditioned by cross-attention.
        latents: float32 (B, C, H, W), standard-normal noise.
        context: embedded contexts of the people, (B, D), in the dtype of the weights.
        schedule: on the CPU.
        num_steps: 1..T.
        guidance: strength in the second half; published with 2.

    Yields:
        The latents after each step, `num_steps` times.
    """
    empty = unet.empty_context(len(latents))
    settled = torch.zeros(len(latents), dtype=torch.bool, device=latents.device)
    focus_before: Tensor | None = None
    steps = spaced_steps(schedule.num_steps, num_steps)
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        inputs, at = latents.to(context.dtype), torch.full((1,), step, device=latents.device)
        without = _Recorder()
        noise_without = unet(inputs, at, empty, without)
        if 2 * step >= schedule.num_steps:
            shown = torch.where(settled[:, None], context, empty)
            person = _SameLayout(without)
            noise = unet(inputs, at, shown, person).float()
            focus = _focus(person.cross_logits)
            if focus_before is not None:
                settled = settled | ((focus - focus_before).abs().mean(dim=(1, 2)) < SETTLED)
            focus_before = focus
        else:
            noise = unet(inputs, at, context, _NearLayout(without)).float()
            noise = guidance * noise + (1 - guidance) * noise_without.float()
        # The published program looks the share up one step too early, and so do we.
        target = schedule.alpha_bars[following - 1].item() if following else 1.0
        latents = ddim_step(latents, noise, schedule.alpha_bars[step].item(), target)
        yield latents


class _Recorder:
    """Keeps the logits of all blocks of a pass and changes none."""

    def __init__(self) -> None:
        self.self_logits: list[Tensor] = []
        self.cross_logits: list[Tensor] = []

    def self_attention(self, logits: Tensor) -> Tensor:
        self.self_logits.append(logits)
        return logits

    def cross_attention(self, logits: Tensor) -> Tensor:
        self.cross_logits.append(logits)
        return logits


class _SameLayout(_Recorder):
    """Puts the self-attention of another pass in place of this one's; keeps the attention to the context."""

    def __init__(self, other: _Recorder) -> None:
        super().__init__()
        self._other = iter(other.self_logits)

    def self_attention(self, logits: Tensor) -> Tensor:
        return next(self._other)


class _NearLayout(_SameLayout):
    """Also moves mean and deviation of each place's attention to the context half way to those of the other pass."""

    def __init__(self, other: _Recorder) -> None:
        super().__init__(other)
        self._other_cross = iter(other.cross_logits)

    def cross_attention(self, logits: Tensor) -> Tensor:
        other = next(self._other_cross)
        deviation, mean = torch.std_mean(logits, dim=-1, keepdim=True)
        other_deviation, other_mean = torch.std_mean(other, dim=-1, keepdim=True)
        normal = (logits - mean) / deviation
        return normal * (deviation + other_deviation) / 2 + (mean + other_mean) / 2


def _focus(logits: Sequence[Tensor]) -> Tensor:
    """Returns where in the picture the context has its effect, float32 (B, 32, 32), 0..1 each, over all blocks.

    Args:
        logits: of each block, (B, heads, places, tokens).
    """
    maps = []
    for block in logits:
        places = torch.softmax(block.float(), dim=-2).mean(dim=(1, 3))
        side = round(places.shape[1] ** 0.5)
        places = (places / places.amax(dim=1, keepdim=True)).view(-1, 1, side, side)
        large = functional.interpolate(places, size=(_MAP_SIDE, _MAP_SIDE), mode="bilinear", align_corners=False)
        maps.append(large[:, 0].clamp(0, 1))
    mean = torch.stack(maps).mean(dim=0)
    low, high = mean.amin(dim=(1, 2), keepdim=True), mean.amax(dim=(1, 2), keepdim=True)
    return (mean - low) / (high - low)
