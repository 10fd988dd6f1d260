"""What a head is, and what those with a centre for each label share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from synth.training.options import within


@dataclass(frozen=True, slots=True)
class HeadResult:
    """What a head says of one batch.

    Attributes:
        loss: float32 scalar to minimise.
        similarities: float32 (B,), detached: cosine of each embedding to what it should be near; NaN where the batch
            holds no such thing.
        hits: bool (B,): whether that is what it is nearest to.
    """

    loss: Tensor
    similarities: Tensor
    hits: Tensor


class Head(nn.Module, ABC):
    """Turns embeddings and labels into a loss.

    Computes in float32 whatever the precision around it. Random numbers come from torch's global generator, which the
    trainer seeds anew for each step.

    Attributes:
        needs_pairs: whether a batch must hold several samples of a label.

    Args (of every constructor, beside its options):
        num_labels: C, the labels are 0..C-1.
        embedding_size: E.
    """

    needs_pairs: ClassVar[bool] = False

    @abstractmethod
    def forward(self, embeddings: Tensor, labels: Tensor) -> HeadResult:
        """Judges a batch.

        Args:
            embeddings: floating (B, E), of any length.
            labels: int64 (B,).
        """


class CentreHead(Head):
    """A head with one learned centre a label, which judges the cosines of embeddings and centres.

    Attributes:
        centres: parameter (C, E), of any length.

    Args:
        num_labels: C.
        embedding_size: E.
        scale: s, what cosines are multiplied by.
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
            embeddings = exact(embeddings)
            centres = self.centres.to(embeddings.dtype)
            cosines = functional.linear(functional.normalize(embeddings), functional.normalize(centres))
            loss = self.loss(cosines, labels, embeddings)
        targets = cosines.detach().gather(1, labels[:, None])[:, 0]
        return HeadResult(loss, targets, cosines.detach().argmax(dim=1) == labels)

    @abstractmethod
    def loss(self, cosines: Tensor, labels: Tensor, embeddings: Tensor) -> Tensor:
        """Returns the loss of a batch, a scalar.

        Args:
            cosines: float32 (B, C), of embeddings and centres; rounding may put them a little outside -1..1.
            labels: int64 (B,).
            embeddings: float32 (B, E), of any length: some heads read it.
        """


class MarginHead(CentreHead):
    """A head that asks for more than the largest cosine: softmax cross-entropy over changed cosines.

    Args:
        num_labels: C.
        embedding_size: E.
        scale: s, what the changed cosines are multiplied by before the softmax.
        ignore_above: cosines to other labels' centres that are larger count as 0, 0..1: those labels may be of the same
            person. None: all count.
    """

    def __init__(
        self, num_labels: int, embedding_size: int, scale: float, *, ignore_above: float | None = None
    ) -> None:
        super().__init__(num_labels, embedding_size, scale)
        self.ignore_above = None if ignore_above is None else within("ignore_above", ignore_above, 0, 1)

    def loss(self, cosines: Tensor, labels: Tensor, embeddings: Tensor) -> Tensor:
        """Returns the mean cross-entropy, a scalar; override it where the loss has more terms."""
        column = labels[:, None]
        targets = self.targets(cosines.gather(1, column)[:, 0], embeddings)
        logits = self.others(cosines, targets).scatter(1, column, targets[:, None])
        return functional.cross_entropy(self.scale * logits, labels)

    @abstractmethod
    def targets(self, cosines: Tensor, embeddings: Tensor) -> Tensor:
        """Returns what stands in the softmax for the cosines of embeddings and the centres of their labels.

        Args:
            cosines: float32 (B,).
            embeddings: float32 (B, E), of any length.

        Returns:
            float32 (B,), not scaled yet.
        """

    def others(self, cosines: Tensor, targets: Tensor) -> Tensor:
        """Returns what stands in the softmax for the cosines of embeddings and the other labels' centres.

        Args:
            cosines: float32 (B, C), the label's own among them; what is returned for it is not read.
            targets: float32 (B,), what `targets` returned.

        Returns:
            float32 (B, C), not scaled yet.
        """
        return cosines if self.ignore_above is None else cosines.masked_fill(cosines > self.ignore_above, 0)


def exact(embeddings: Tensor) -> Tensor:
    """Returns embeddings in the precision that heads compute in: float32, or theirs if that is finer."""
    return embeddings.to(torch.promote_types(embeddings.dtype, torch.float32))
