"""MagFace."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from synth.training.angles import widened
from synth.training.heads.base import MarginHead
from synth.training.options import within


class MagFace(MarginHead):
    """A margin that grows with the embedding's length, which comes to tell how recognisable a face is.

    Meng, Zhao, Huang and Zhou (2021), "MagFace: A Universal Representation for Face Recognition and Quality
    Assessment". With a the length, kept in l_a..u_a, the target's cosine becomes cos(theta + m(a)), m(a) a straight
    line from l_m at l_a to u_m at u_a; the regulariser lambda_g (a / u_a^2 + 1 / a) rewards length. Gradients pass
    through a; none does where it is kept at a bound. Beyond pi stands what ArcFace has.

    The lengths have to be free to change: a backbone whose last normalisation has no parameters keeps their mean
    square at E.

    Args:
        num_labels: C.
        embedding_size: E.
        scale: s.
        min_margin: l_m in radians, 0..pi/2.
        max_margin: u_m in radians, l_m..pi/2.
        min_length: l_a, more than 0.
        max_length: u_a, more than l_a.
        regulariser: lambda_g, at least 0.
        easy_margin: no margin for a sample at more than a right angle to its centre, as in the authors' training;
            the loss then rises where the angle falls below a right one.
    """

    def __init__(
        self,
        num_labels: int,
        embedding_size: int,
        *,
        scale: float = 64.0,
        min_margin: float = 0.45,
        max_margin: float = 0.8,
        min_length: float = 10.0,
        max_length: float = 110.0,
        regulariser: float = 35.0,
        easy_margin: bool = False,
    ) -> None:
        super().__init__(num_labels, embedding_size, scale)
        if not 0 < min_length < max_length < math.inf:
            raise ValueError(f"min_length {min_length}, max_length {max_length}: expected 0 < min_length < max_length")
        self.min_margin = within("min_margin", min_margin, 0, math.pi / 2)
        self.max_margin = within("max_margin", max_margin, min_margin, math.pi / 2)
        self.min_length = min_length
        self.max_length = max_length
        self.regulariser = within("regulariser", regulariser, 0, math.inf)
        self.easy_margin = easy_margin

    def loss(self, cosines: Tensor, labels: Tensor, embeddings: Tensor) -> Tensor:
        """Returns the mean cross-entropy and the regulariser, a scalar."""
        lengths = self._lengths(embeddings)
        rewards: Tensor = lengths / self.max_length**2 + 1 / lengths
        return super().loss(cosines, labels, embeddings) + rewards.mean() * self.regulariser

    def targets(self, cosines: Tensor, embeddings: Tensor) -> Tensor:
        """Returns the cosines (B,) of angles wider by margins that grow with the lengths."""
        places = (self._lengths(embeddings) - self.min_length) / (self.max_length - self.min_length)
        changed = widened(cosines, self.min_margin + (self.max_margin - self.min_margin) * places)
        return torch.where(cosines > 0, changed, cosines) if self.easy_margin else changed

    def _lengths(self, embeddings: Tensor) -> Tensor:
        lengths: Tensor = torch.linalg.vector_norm(embeddings, dim=1)
        return lengths.clamp(self.min_length, self.max_length)
