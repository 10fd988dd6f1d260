"""What a backbone is."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn


class Backbone(nn.Module, ABC):
    """Embeds aligned faces; a new one has fresh random parameters, drawn from torch's global generator.

    Attributes:
        input_size: side of the faces it takes, px: faces aligned to 112 px are scaled to it beforehand.
        embedding_size: E.
    """

    input_size: int
    embedding_size: int

    @abstractmethod
    def forward(self, faces: Tensor) -> Tensor:
        """Embeds aligned faces.

        Args:
            faces: floating (B, 3, S, S), RGB, -1..1, S the `input_size`.

        Returns:
            float32 (B, E), of any length: not divided by their norm.
        """
