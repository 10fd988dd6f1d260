"""What a head is, and what those with a centre for each label share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class HeadResult:
    """What a head says of one batch.

    Attributes:
        loss: float32 scalar to minimise.
        similarities: float32 (B,), detached: cosine of each embedding to what it should be near.
        hits: bool (B,): whether that is what it is nearest to.
    """

    loss: Tensor
    similarities: Tensor
    hits: Tensor


class Head(nn.Module, ABC):
    """Turns embeddings and labels into a loss.

    Computes in float32 whatever the precision around it. Random numbers come from torch's global generator, which the
    trainer seeds anew for each step.

    Args (of every constructor, beside its options):
        num_labels: C, the labels are 0..C-1.
        embedding_size: E.
    """

    @abstractmethod
    def forward(self, embeddings: Tensor, labels: Tensor) -> HeadResult:
        """Judges a batch.

        Args:
            embeddings: floating (B, E), of any length.
            labels: int64 (B,).
        """


class CentreHead(Head):
    """A head with one learned centre a label: softmax cross-entropy over changed cosines.

    Attributes:
        centres: parameter (C, E), of any length.

    Args:
        num_labels: C.
        embedding_size: E.
        scale: s, what cosines are multiplied by before the softmax.
    """

    def __init__(self, num_labels: int, embedding_size: int, scale: float) -> None:
        super().__init__()
        if num_labels < 2:
            raise ValueError(f"num_labels {num_labels}: expected at least 2, there is nothing to tell apart")
        if not scale > 0:
            raise ValueError(f"scale {scale}: expected more than 0")
        self.scale = scale
        self.centres = nn.Parameter(torch.randn(num_labels, embedding_size) * 0.01)

    def forward(self, embeddings: Tensor, labels: Tensor) -> HeadResult:
        """Judges a batch: embeddings (B, E), labels int64 (B,)."""
        with torch.autocast(embeddings.device.type, enabled=False):
            embeddings = embeddings.float()
            cosines = functional.linear(functional.normalize(embeddings), functional.normalize(self.centres))
            loss = self.loss(cosines, labels, embeddings)
        targets = cosines.detach().gather(1, labels[:, None])[:, 0]
        return HeadResult(loss, targets, cosines.detach().argmax(dim=1) == labels)

    def loss(self, cosines: Tensor, labels: Tensor, embeddings: Tensor) -> Tensor:
        """Returns the mean cross-entropy of the scaled logits, a scalar; override it where the loss has more terms."""
        return functional.cross_entropy(self.scale * self.logits(cosines, labels, embeddings), labels)

    @abstractmethod
    def logits(self, cosines: Tensor, labels: Tensor, embeddings: Tensor) -> Tensor:
        """Returns what stands in the softmax in place of the cosines, before it is scaled.

        Args:
            cosines: float32 (B, C), -1..1, of embeddings and centres.
            labels: int64 (B,).
            embeddings: float32 (B, E), of any length: some heads read their norm.

        Returns:
            float32 (B, C).
        """
