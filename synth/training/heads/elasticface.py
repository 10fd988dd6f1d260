"""ElasticFace."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, Literal

import torch
from torch import Tensor

from synth.training.angles import widened
from synth.training.heads.base import MarginHead
from synth.training.options import within

_MARGINS: Final = {"arc": 0.5, "cos": 0.35}  # means, as the authors train
_SPREADS: Final[Mapping[tuple[str, bool], float]] = {  # and standard deviations, by base and plus
    ("arc", False): 0.05,
    ("cos", False): 0.05,
    ("arc", True): 0.0175,
    ("cos", True): 0.02,
}
_MOST: Final = {"arc": math.pi / 2, "cos": 1.0}


class ElasticFace(MarginHead):
    """A margin of its own for each sample, drawn anew each time: m ~ N(mean, spread).

    Boutros, Damer, Kirchbuchner and Kuijper (2022), "ElasticFace: Elastic Margin Loss for Deep Face Recognition": the
    target's cosine becomes cos(theta + m) (ElasticFace-Arc, see ArcFace) or cos(theta) - m (ElasticFace-Cos, see
    CosFace). ElasticFace+ gives the batch's largest margin to the sample that is farthest from its centre, the next
    to the next; the authors' code mixes them up, ours does not. Margins are kept in the range that the base has; in
    evaluation all are the mean.

    Args:
        num_labels: C.
        embedding_size: E.
        scale: s.
        base: 'arc' for angles, 'cos' for cosines.
        plus: ElasticFace+.
        margin: mean of the margins; the authors' by default: 0.5 radians for arc, 0.35 for cos.
        spread: standard deviation of the margins, at least 0; the authors' by default: 0.05; with `plus` 0.0175 for
            arc and 0.02 for cos.
    """

    def __init__(
        self,
        num_labels: int,
        embedding_size: int,
        *,
        scale: float = 64.0,
        base: Literal["arc", "cos"] = "arc",
        plus: bool = False,
        margin: float | None = None,
        spread: float | None = None,
    ) -> None:
        super().__init__(num_labels, embedding_size, scale)
        if base not in _MARGINS:
            raise ValueError(f"base {base!r}: expected 'arc' or 'cos'")
        self.base = base
        self.plus = plus
        self.margin = within("margin", _MARGINS[base] if margin is None else margin, 0, _MOST[base])
        self.spread = within("spread", _SPREADS[base, plus] if spread is None else spread, 0, 1)

    def targets(self, cosines: Tensor, embeddings: Tensor) -> Tensor:
        """Returns the cosines (B,), each with its margin."""
        margins = self.margins(cosines.detach())
        return widened(cosines, margins) if self.base == "arc" else cosines - margins

    def margins(self, cosines: Tensor) -> Tensor:
        """Draws the margins of a batch.

        Args:
            cosines: float32 (B,), of embeddings and the centres of their labels.

        Returns:
            float32 (B,).
        """
        margins = torch.full_like(cosines, self.margin)
        if not self.training:
            return margins
        margins = (margins + self.spread * torch.randn_like(cosines)).clamp(0, _MOST[self.base])
        if not self.plus:
            return margins
        nearest_first = cosines.argsort(descending=True, stable=True)
        return torch.empty_like(margins).scatter(0, nearest_first, margins.sort().values)
