"""Normalisation that takes an image's own look out of half of its maps."""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

_EPSILON: Final = 1e-5  # both as torch's own normalisations have them
_MOMENTUM: Final = 0.1


class InstanceBatchNorm(nn.Module):
    """Instance normalisation of the first half of the channels, batch normalisation of the others.

    Pan, Luo, Shi and Tang (2018), "Two at Once: Enhancing Learning and Generalization Capacities via IBN-Net": the
    first half loses each image's own brightness and contrast, in which renders differ from photos; the other half
    keeps them. For early layers, that see textures and colours.

    Both are one affine map of each image and channel, with its gradient written out: on a CPU that takes a third of
    the time of normalising two slices and putting them together again.

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
        if not self.training:
            return self._by_running_moments(maps).to(hidden.dtype)
        moments = _Normalisation.apply(maps, self.weight, self.bias, self._half)  # type: ignore[no-untyped-call]
        normalised, mean, variance = moments
        count = len(maps) * maps[0, 0].numel()
        self.running_mean.lerp_(mean, _MOMENTUM)
        self.running_variance.lerp_(variance * count / (count - 1), _MOMENTUM)  # unbiased, as torch's is
        found: Tensor = normalised.to(hidden.dtype)
        return found

    def _by_running_moments(self, maps: Tensor) -> Tensor:
        """Normalises by each image's own moments in the first half, and by the running ones in the other."""
        mean, variance = _moments(maps)
        mean = torch.cat([mean[:, : self._half], self.running_mean.expand(len(maps), -1)], dim=1)
        variance = torch.cat([variance[:, : self._half], self.running_variance.expand(len(maps), -1)], dim=1)
        scale = self.weight * torch.rsqrt(variance + _EPSILON)
        return _affine(maps, scale, self.bias - mean * scale)


class _Normalisation(torch.autograd.Function):
    """Normalises by the moments of an image in the first half of the channels, and by those of the batch in the other.

    The gradient is that of Ioffe and Szegedy (2015), section 3, with the means taken over what shares its moments. It
    is linear in the maps and in the gradient that comes in, so it takes two sums and two passes over the maps.
    """

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401
        maps: Tensor,
        weight: Tensor,
        bias: Tensor,
        half: int,
    ) -> tuple[Tensor, Tensor, Tensor]:
        own_mean, own_variance = _moments(maps)
        mean = _shared(own_mean, half)
        variance = _shared(own_variance + (own_mean - mean) ** 2, half)
        inverse = torch.rsqrt(variance + _EPSILON)
        ctx.half = half
        ctx.save_for_backward(maps, weight, mean, inverse)
        batch_mean, batch_variance = mean[0, half:].clone(), variance[0, half:].clone()
        ctx.mark_non_differentiable(batch_mean, batch_variance)
        return _affine(maps, weight * inverse, bias - mean * weight * inverse), batch_mean, batch_variance

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any,  # noqa: ANN401
        gradient: Tensor,
        *_: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, None]:
        maps, weight, mean, inverse = ctx.saved_tensors
        count = maps[0, 0].numel()
        sums = gradient.sum(dim=(2, 3))
        products = ((gradient * maps).sum(dim=(2, 3)) - mean * sums) * inverse  # with the normalised maps
        scale = weight * inverse
        slope = -scale * inverse * _shared(products / count, ctx.half)
        offset = -scale * _shared(sums / count, ctx.half) - slope * mean
        return _affine(maps, slope, offset).addcmul_(gradient, _wide(scale)), products.sum(dim=0), sums.sum(dim=0), None


def _moments(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Returns means and variances of each image's channels, (B, C)."""
    mean = maps.mean(dim=(2, 3))
    return mean, (maps - _wide(mean)).square().mean(dim=(2, 3))


def _shared(numbers: Tensor, half: int) -> Tensor:
    """Returns (B, C) numbers with those past the first half of the channels replaced by their mean over the batch."""
    return torch.cat([numbers[:, :half], numbers[:, half:].mean(dim=0).expand(len(numbers), -1)], dim=1)


def _affine(maps: Tensor, scale: Tensor, offset: Tensor) -> Tensor:
    return torch.addcmul(_wide(offset), maps, _wide(scale))


def _wide(numbers: Tensor) -> Tensor:
    """Returns (B, C) numbers as (B, C, 1, 1)."""
    return numbers[:, :, None, None]
