"""Normalisation that takes an image's own look out of half of its maps."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

_EPSILON: Final = 1e-5  # both as torch's own normalisations have them
_MOMENTUM: Final = 0.1


class InstanceBatchNorm(nn.Module):
    """Instance normalisation of the first half of the channels, batch normalisation of the others.

    Pan, Luo, Shi and Tang (2018), "Two at Once: Enhancing Learning and Generalization Capacities via IBN-Net": the
    first half loses each image's own brightness and contrast, in which renders differ from photos; the other half
    keeps them. For early layers, that see textures and colours.

    Both are one affine map of each image and channel: on a CPU that takes less time than normalising two slices and
    putting them together again.

    Args:
        width: channels, at least 2.
    """

    running_mean: Tensor
    running_variance: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self._half = width // 2
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))
        self.register_buffer("running_mean", torch.zeros(width - self._half))
        self.register_buffer("running_variance", torch.ones(width - self._half))

    def forward(self, hidden: Tensor) -> Tensor:
        """Normalises maps (B, C, H, W); in any precision the sums are of float32."""
        maps = hidden.float()
        mean = maps.mean(dim=(2, 3))
        variance = (maps - mean[:, :, None, None]).square().mean(dim=(2, 3))
        batch_mean, batch_variance = self._of_batch(
            mean[:, self._half :], variance[:, self._half :], maps[0, 0].numel()
        )
        mean = torch.cat([mean[:, : self._half], batch_mean.expand(len(maps), -1)], dim=1)
        variance = torch.cat([variance[:, : self._half], batch_variance.expand(len(maps), -1)], dim=1)
        scale = self.weight * torch.rsqrt(variance + _EPSILON)
        offset = self.bias - mean * scale
        return torch.addcmul(offset[:, :, None, None], maps, scale[:, :, None, None]).to(hidden.dtype)

    def _of_batch(self, means: Tensor, variances: Tensor, pixels: int) -> tuple[Tensor, Tensor]:
        """Returns mean and variance, (C,), of channels whose means and variances in each image, (B, C), are known.

        In training they are the batch's and move the running ones, which take their place otherwise.
        """
        if not self.training:
            return self.running_mean, self.running_variance
        mean = means.mean(dim=0)
        variance = variances.mean(dim=0) + means.var(dim=0, correction=0)
        count = len(means) * pixels
        self.running_mean.lerp_(mean.detach(), _MOMENTUM)
        self.running_variance.lerp_(variance.detach() * count / (count - 1), _MOMENTUM)  # unbiased, as torch's is
        return mean, variance
