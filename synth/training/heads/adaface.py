"""AdaFace."""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor

from synth.training.angles import widened
from synth.training.heads.base import MarginHead
from synth.training.moving_averages import move_towards
from synth.training.options import within

_NORMS: Final = (1e-3, 100.0)  # the authors clip norms to them
_NO_SPREAD: Final = 1e-3  # the authors' epsilon, added to the spread


class AdaFace(MarginHead):
    """Margin by image quality, as the embedding's norm tells it: hard samples weigh more where the norm is large.

    Kim, Jain and Liu (2022), "AdaFace: Quality Adaptive Margin for Face Recognition": the target's cosine becomes
    cos(theta - m g) - (m + m g), with g = h (|f| - mu) / (sigma + 0.001) clipped to -1..1; no gradient passes
    through g. mu and sigma are moving averages of the batches' mean and standard deviation of norms: batches of one,
    and batches with numbers that are not finite, leave them as they are, and so does evaluation. Angles are kept in
    0..pi: below, 1 stands for the cosine; beyond, what ArcFace has.

    Attributes:
        mean: mu, buffer, float32 scalar.
        spread: sigma, buffer, float32 scalar.

    Args:
        num_labels: C.
        embedding_size: E.
        scale: s.
        margin: m, 0..pi/2.
        concentration: h, at least 0: the larger, the fewer norms lie between the two extremes of g.
        rate: weight of a batch in the moving averages, 0..1.
    """

    mean: Tensor
    spread: Tensor

    def __init__(
        self,
        num_labels: int,
        embedding_size: int,
        *,
        scale: float = 64.0,
        margin: float = 0.4,
        concentration: float = 0.333,
        rate: float = 0.01,
    ) -> None:
        super().__init__(num_labels, embedding_size, scale)
        self.margin = within("margin", margin, 0, math.pi / 2)
        self.concentration = within("concentration", concentration, 0, math.inf)
        self.rate = within("rate", rate, 0, 1)
        self.register_buffer("mean", torch.tensor(20.0))
        self.register_buffer("spread", torch.tensor(100.0))

    def targets(self, cosines: Tensor, embeddings: Tensor) -> Tensor:
        """Returns the cosines (B,) of narrowed or widened angles, less a margin."""
        norms = torch.linalg.vector_norm(embeddings.detach(), dim=1).clamp(*_NORMS)
        if self.training and len(norms) > 1:
            move_towards(self.mean, norms.mean(), self.rate)
            move_towards(self.spread, norms.std(), self.rate)
        qualities = (self.concentration * (norms - self.mean) / (self.spread + _NO_SPREAD)).clamp(-1, 1)
        shares: Tensor = self.margin * qualities
        return widened(cosines, -shares) - shares - self.margin
