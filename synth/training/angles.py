"""Angles added to cosines, as margins are."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

_LEAST_SQUARED_SINE: Final = 1e-7  # its root's derivative grows without bound towards a sine of 0


def widened(cosines: Tensor, angles: Tensor) -> Tensor:
    """Returns the cosines of angles theta made wider by m, cos(theta + m), falling in theta everywhere.

    Where theta + m passes pi the cosine would rise again: cos(theta) - m sin(m) stands there, which is below -1, as in
    many implementations of ArcFace. Where m is negative and theta + m passes 0, 1 stands there.

    Args:
        cosines: floating, -1..1, any shape.
        angles: m in radians, -pi/2..pi/2, in the shape of the cosines.
    """
    cos, sin = angles.cos(), angles.sin()
    sines = (1 - cosines.square()).clamp(min=_LEAST_SQUARED_SINE).sqrt()
    inside = cosines * cos - sines * sin
    narrowed = torch.where(cosines < cos, inside, torch.ones_like(inside))
    return torch.where(angles < 0, narrowed, torch.where(cosines > -cos, inside, cosines - angles * sin))
