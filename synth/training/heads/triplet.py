"""The triplet loss."""

from __future__ import annotations

import math
from typing import ClassVar, Final, Literal

import torch
from torch import Tensor
from torch.nn import functional

from synth.training.heads.base import Head, HeadResult, exact
from synth.training.options import within

_SELECTIONS: Final = ("semi_hard", "hard")


class Triplet(Head):
    """Samples of one label nearer to each other than to others, by a margin; there are no centres.

    Schroff, Kalenichenko and Philbin (2015), "FaceNet: A Unified Embedding for Face Recognition and Clustering": the
    mean over triplets of max(0, |a - p|^2 - |a - n|^2 + margin), a (anchor) and p (positive) unit embeddings of one
    label, n (negative) of another one.

    'semi_hard' takes each ordered pair of one label as (a, p) and for n the nearest negative that is farther from a
    than p is, or the farthest one where none is. 'hard' takes each sample as a, its farthest positive and its nearest
    negative (Hermans, Beyer and Leibe 2017, "In Defense of the Triplet Loss for Person Re-Identification").

    Batches need several samples of each label. Of a batch without a triplet the loss is 0, with gradients of 0. A
    sample's similarity is the one to its farthest positive, NaN where there is none, which is no hit either.

    Args:
        num_labels: C; not needed here.
        embedding_size: E; not needed here.
        margin: in squared distances of unit vectors, 0..4.
        selection: 'semi_hard' or 'hard'.
    """

    needs_pairs: ClassVar[bool] = True

    def __init__(
        self,
        num_labels: int,
        embedding_size: int,
        *,
        margin: float = 0.2,
        selection: Literal["semi_hard", "hard"] = "semi_hard",
    ) -> None:
        super().__init__()
        if selection not in _SELECTIONS:
            raise ValueError(f"selection {selection!r}: expected 'semi_hard' or 'hard'")
        self.margin = within("margin", margin, 0, 4)
        self.selection = selection

    def forward(self, embeddings: Tensor, labels: Tensor) -> HeadResult:
        """Judges a batch: embeddings (B, E), labels int64 (B,)."""
        with torch.autocast(embeddings.device.type, enabled=False):
            units = functional.normalize(exact(embeddings))
            cosines = units @ units.T
        is_same = labels[:, None] == labels
        is_self = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
        is_positive = is_same & ~is_self
        fixed = cosines.detach()
        anchors, positives, negatives = self._triplets(fixed, is_positive, ~is_same)
        # |a - b|^2 = 2 - 2 cos of unit vectors
        excesses = 2 * (cosines[anchors, negatives] - cosines[anchors, positives]) + self.margin
        loss = excesses.relu().sum() / max(len(anchors), 1)
        farthest = fixed.masked_fill(~is_positive, math.inf).amin(dim=1)
        nearest = fixed.masked_fill(is_self, -math.inf).argmax(dim=1, keepdim=True)
        return HeadResult(loss, farthest.masked_fill(farthest.isinf(), math.nan), is_positive.gather(1, nearest)[:, 0])

    def _triplets(self, cosines: Tensor, is_positive: Tensor, is_negative: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Returns the places of anchors, positives and negatives in the batch, int64 (T,) each."""
        is_anchor = is_positive.any(dim=1) & is_negative.any(dim=1)
        if self.selection == "hard":
            anchors = is_anchor.nonzero()[:, 0]
            positives = cosines.masked_fill(~is_positive, math.inf).argmin(dim=1)[anchors]
            return anchors, positives, cosines.masked_fill(~is_negative, -math.inf).argmax(dim=1)[anchors]
        anchors, positives = (is_positive & is_anchor[:, None]).nonzero(as_tuple=True)
        return anchors, positives, _semi_hard(cosines, is_negative)[anchors, positives]


def _semi_hard(cosines: Tensor, is_negative: Tensor) -> Tensor:
    """Returns the negative for each anchor and positive.

    Args:
        cosines: (B, B).
        is_negative: bool (B, B): of anchor and other.

    Returns:
        int64 (B, B): the nearest negative of an anchor that is farther than a positive, else its farthest one; any
        place where the anchor has no negative.
    """
    distances = (-cosines).masked_fill(~is_negative, math.inf)
    nearest_first = distances.sort(dim=1, stable=True)
    firsts = torch.searchsorted(nearest_first.values, -cosines, right=True)
    lasts = is_negative.sum(dim=1, keepdim=True) - 1
    return nearest_first.indices.gather(1, torch.minimum(firsts, lasts).clamp(min=0))
