"""Whom to steer away from: a vector that follows from the sample alone.

Caldeira et al. (2025), "NegFaceDiff: The Power of Negative Context in Identity-Conditioned Diffusion for Synthetic
Face Generation". Their negatives are other identities of the set; here one of a given file, so that no picture
depends on its batch, or no identity of any set at all.
"""

from __future__ import annotations

import torch
from torch import Tensor

from synth import noise
from synth.idiff.options import SAME, Negative


def negative_vectors(
    kind: Negative, vectors: Tensor, seeds: Tensor, stream: int, others: Tensor | None = None
) -> Tensor | None:
    """Returns the vectors to steer away from.

    Args:
        kind: 'empty': none; 'opposite': the negated vectors, as far as can be; 'random': a direction drawn from the
            seed; 'farthest' and 'closest': of `others`, by cosine, passing over the person himself.
        vectors: float32 (B, D), unit L2 norm.
        seeds: int64 (B,), of the samples.
        stream: of the random numbers.
        others: float32 (N, D), unit L2 norm, two of which have a cosine below `ALL_THE_SAME`.

    Returns:
        float32 (B, D), unit L2 norm; None for 'empty'.
    """
    if kind == "empty":
        return None
    if kind == "opposite":
        return -vectors
    if kind == "random":
        return torch.nn.functional.normalize(noise.normal(seeds, stream, (vectors.shape[1],)))
    if others is None:
        raise ValueError(f"negative '{kind}' needs the vectors to choose from")
    similarities = vectors @ others.T
    if kind == "farthest":
        return others[similarities.argmin(dim=1)]
    return others[similarities.masked_fill(similarities > SAME, -torch.inf).argmax(dim=1)]
