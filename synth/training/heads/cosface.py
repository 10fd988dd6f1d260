"""CosFace."""

from __future__ import annotations

from torch import Tensor

from synth.training.heads.base import MarginHead
from synth.training.options import within


class CosFace(MarginHead):
    """Additive cosine margin: the target's cosine z becomes z - m.

    Wang et al. (2018), "CosFace: Large Margin Cosine Loss for Deep Face Recognition", equation 4.

    Args:
        num_labels: C.
        embedding_size: E.
        scale: s.
        margin: m, 0..1.
        ignore_above: cosines to other labels' centres that are larger count as 0, 0..1; None: all count.
    """

    def __init__(
        self,
        num_labels: int,
        embedding_size: int,
        *,
        scale: float = 64.0,
        margin: float = 0.35,
        ignore_above: float | None = None,
    ) -> None:
        super().__init__(num_labels, embedding_size, scale, ignore_above=ignore_above)
        self.margin = within("margin", margin, 0, 1)

    def targets(self, cosines: Tensor, embeddings: Tensor) -> Tensor:
        """Returns the cosines (B,) less the margin."""
        return cosines - self.margin
