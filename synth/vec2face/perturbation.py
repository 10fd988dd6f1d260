"""How images of one identity come to differ: noise on its vector, in a fixed mix of strengths."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from torch import Tensor

PUBLISHED: Final[Mapping[float, float]] = {0.3: 0.4, 0.5: 0.4, 0.7: 0.2}
"""Strength to share of an identity's images (Wu et al. 2025, "Vec2Face")."""

_UNITS: Final = 1000  # shares are whole numbers of thousandths, so that the pattern is exact and short


def pattern_of(mix: Mapping[float, float]) -> npt.NDArray[np.float32]:
    """Spreads strengths evenly over the indices of an identity, in the shares of the mix.

    Each index takes the strength that is furthest behind its share so far, the first named of equals; after P
    indices, the least number in which all shares are whole, it begins anew. So any P consecutive indices have the
    exact mix (P = 5 for 40, 40 and 20 %), and any other block differs by less than one image of each strength.

    Args:
        mix: standard deviation of the noise, >= 0, to share, a multiple of 0.001; the shares sum to 1.

    Returns:
        float32 (P,), the strength of index i is at i modulo P.

    Raises:
        ValueError: a strength or a share is out of range, or the shares do not sum to 1.
    """
    counts = {strength: round(share * _UNITS) if math.isfinite(share) else -1 for strength, share in mix.items()}
    exact = all(abs(counts[strength] - share * _UNITS) < 1e-6 for strength, share in mix.items())
    if not exact or min(counts.values(), default=0) < 0 or sum(counts.values()) != _UNITS:
        raise ValueError(f"perturbation {dict(mix)}: expected shares in steps of 0.001 that sum to 1, like {PUBLISHED}")
    if not all(0 <= strength < math.inf for strength in mix):
        raise ValueError(f"perturbation {dict(mix)}: expected strengths of at least 0, like {PUBLISHED}")
    period = _UNITS // math.gcd(_UNITS, *counts.values())
    taken = dict.fromkeys(counts, 0)
    pattern = []
    for index in range(1, period + 1):
        behind = max(counts, key=lambda strength: counts[strength] * index - taken[strength] * _UNITS)
        taken[behind] += 1
        pattern.append(behind)
    return np.array(pattern, dtype=np.float32)


def perturbed(vectors: Tensor, noise: Tensor, strengths: Tensor) -> Tensor:
    """Adds noise to vectors and brings them back to their lengths, as Vec2Face does.

    Args:
        vectors: (B, D).
        noise: (B, D), standard normal.
        strengths: (B,), standard deviation of what is added to each number.

    Returns:
        (B, D).
    """
    moved = vectors + strengths[:, None] * noise
    lengths = vectors.norm(dim=1, keepdim=True)
    scaled: Tensor = moved / moved.norm(dim=1, keepdim=True) * lengths
    return scaled
