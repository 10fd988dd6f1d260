"""ArcFace."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from synth.training.angles import widened
from synth.training.heads.base import MarginHead
from synth.training.options import within


class ArcFace(MarginHead):
    """Additive angular margin: the target's cosine, cos(theta), becomes cos(theta + m).

    Deng, Guo, Xue and Zafeiriou (2019), "ArcFace: Additive Angular Margin Loss for Deep Face Recognition", equation 3.
    Gradients are those of the formula; arcface_torch's pass the margin as if it were a constant. Where theta + m is
    beyond pi, cos(theta) - m sin(m) stands for it, so that the loss falls with the angle everywhere.

    Args:
        num_labels: C.
        embedding_size: E.
        scale: s.
        margin: m in radians, 0..pi/2.
        ignore_above: cosines to other labels' centres that are larger count as 0, 0..1; None: all count.
    """

    def __init__(
        self,
        num_labels: int,
        embedding_size: int,
        *,
        scale: float = 64.0,
        margin: float = 0.5,
        ignore_above: float | None = None,
    ) -> None:
        super().__init__(num_labels, embedding_size, scale, ignore_above=ignore_above)
        self.margin = within("margin", margin, 0, math.pi / 2)

    def targets(self, cosines: Tensor, embeddings: Tensor) -> Tensor:
        """Returns the cosines (B,) of angles wider by the margin."""
        return widened(cosines, torch.full_like(cosines, self.margin))
