"""CurricularFace."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from synth.training.angles import widened
from synth.training.heads.base import MarginHead
from synth.training.moving_averages import move_towards
from synth.training.options import within


class CurricularFace(MarginHead):
    """ArcFace that turns to hard negatives as training goes on.

    Huang et al. (2020), "CurricularFace: Adaptive Curriculum Learning Loss for Deep Face Recognition". The target's
    cosine becomes cos(theta + m), as ArcFace has it; the cosine z of another label that is larger than that becomes
    z (t + z): small while t is small, larger later. t is the moving average of the mean cosine of samples and the
    centres of their own labels, before the margin; evaluation leaves it as it is.

    Attributes:
        progress: t, buffer, float32 scalar.

    Args:
        num_labels: C.
        embedding_size: E.
        scale: s.
        margin: m in radians, 0..pi/2.
        rate: weight of a batch in the moving average, 0..1.
    """

    progress: Tensor

    def __init__(
        self, num_labels: int, embedding_size: int, *, scale: float = 64.0, margin: float = 0.5, rate: float = 0.01
    ) -> None:
        super().__init__(num_labels, embedding_size, scale)
        self.margin = within("margin", margin, 0, math.pi / 2)
        self.rate = within("rate", rate, 0, 1)
        self.register_buffer("progress", torch.tensor(0.0))

    def targets(self, cosines: Tensor, embeddings: Tensor) -> Tensor:
        """Returns the cosines (B,) of angles wider by the margin."""
        if self.training:
            move_towards(self.progress, cosines.detach().mean(), self.rate)
        return widened(cosines, torch.full_like(cosines, self.margin))

    def others(self, cosines: Tensor, targets: Tensor) -> Tensor:
        """Returns the cosines (B, C), the hard ones changed."""
        is_hard = cosines.detach() > targets.detach()[:, None]
        return torch.where(is_hard, cosines * (self.progress + cosines), cosines)
