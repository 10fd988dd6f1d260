"""SFace."""

from __future__ import annotations

import math

from torch import Tensor

from synth.training.heads.base import CentreHead
from synth.training.options import within


class SFace(CentreHead):
    """Pulls and pushes of the cosines, each fading out by a sigmoid once the angle is small or large enough.

    Zhong, Deng, Hu, Zhao, Li and Wen (2021), "SFace: Sigmoid-Constrained Hypersphere Loss for Robust Face
    Recognition". There is no softmax. With r_intra(theta) = 1 / (1 + exp(-k (theta - a))) and
    r_inter(theta) = 1 / (1 + exp(k (theta - b))), through which no gradient passes, the loss of a sample is
    -s r_intra(theta_y) cos(theta_y) + sum over the other labels j of s r_inter(theta_j) cos(theta_j). Its value says
    little, as the factors change with the angles: it may rise while samples come nearer to their centres.

    Args:
        num_labels: C.
        embedding_size: E.
        scale: s.
        slope: k, of the sigmoids.
        intra: a in radians, 0..pi: where the pull to the own centre is half gone. 0.80 is for large clean sets; the
            authors take 0.87 on CASIA-WebFace.
        inter: b in radians, 0..pi: where the push from another centre is half gone; 1.2 on CASIA-WebFace.
    """

    def __init__(
        self,
        num_labels: int,
        embedding_size: int,
        *,
        scale: float = 64.0,
        slope: float = 80.0,
        intra: float = 0.80,
        inter: float = 1.23,
    ) -> None:
        super().__init__(num_labels, embedding_size, scale)
        if not 0 < slope < math.inf:
            raise ValueError(f"slope {slope}: expected more than 0")
        self.slope = slope
        self.intra = within("intra", intra, 0, math.pi)
        self.inter = within("inter", inter, 0, math.pi)

    def loss(self, cosines: Tensor, labels: Tensor, embeddings: Tensor) -> Tensor:
        """Returns the mean loss of the samples, a scalar."""
        column = labels[:, None]
        angles = cosines.detach().clamp(-1, 1).acos()
        pushes = (self.slope * (self.inter - angles)).sigmoid()
        pulls = (self.slope * (angles.gather(1, column) - self.intra)).sigmoid()
        forces = pushes.scatter(1, column, -pulls)
        loss: Tensor = self.scale * (forces * cosines).sum(dim=1).mean()
        return loss
