"""CosFace."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from synth.training.heads.base import CentreHead


class CosFace(CentreHead):
    """Additive cosine margin: the target's cosine z becomes z - m.

    Wang et al. (2018), "CosFace: Large Margin Cosine Loss for Deep Face Recognition", equation 4.

    Args:
        num_labels: C.
        embedding_size: E.
        scale: s.
        margin: m.
    """

    def __init__(self, num_labels: int, embedding_size: int, *, scale: float = 64.0, margin: float = 0.35) -> None:
        super().__init__(num_labels, embedding_size, scale)
        self.margin = margin

    def logits(self, cosines: Tensor, labels: Tensor, embeddings: Tensor) -> Tensor:
        """Returns the cosines (B, C) with the margin taken off the targets'."""
        return cosines - self.margin * functional.one_hot(labels, cosines.shape[1])
