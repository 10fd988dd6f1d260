"""Identity vectors that keep their distance: candidates are drawn in order until enough of them are kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np

from synth.errors import VectorsError
from synth.extras import torch_device
from synth.similarity import separate
from synth.types import Vectors

Candidates: TypeAlias = Callable[[int, int], Vectors]

ROUND: Final = 1024  # candidates drawn at a time, at least
WINDOW: Final = 8192  # candidates after which the rate at which they pass is looked at
MIN_RATE: Final = 1e-3  # of them must pass, or it is hopeless: the rate only falls


def check_bound(max_similarity: float | None) -> None:
    """Checks a bound on cosines.

    Raises:
        ValueError: it is not within -1..1; None is no bound.
    """
    if max_similarity is not None and not -1 <= max_similarity <= 1:
        raise ValueError(f"max_similarity {max_similarity}: a cosine is within -1..1")


def in_blocks(block: Callable[[int], Vectors], size: int, dimension: int) -> Candidates:
    """Returns an endless sequence of candidates that are made some at a time, for `draw_separated`.

    Args:
        block: `block(number)` returns block 0, 1, .. of the sequence, float32 (size, D).
        size: candidates in a block.
        dimension: D.
    """

    def candidates(start: int, stop: int) -> Vectors:
        if stop <= start:
            return np.empty((0, dimension), dtype=np.float32)
        first = start // size
        blocks = [block(number) for number in range(first, (stop - 1) // size + 1)]
        return np.concatenate(blocks)[start - first * size : stop - first * size]

    return candidates


def draw_separated(
    candidates: Candidates,
    count: int,
    max_similarity: float | None,
    round_size: int = ROUND,
    device: str = "cpu",
) -> Vectors:
    """Returns the first `count` candidates that are not too similar to one kept before.

    The choice is greedy in candidate order and exact (see `synth.similarity.separate`), so it depends neither on how
    many candidates are drawn at a time nor on `count`: a larger count starts with the same vectors.

    Args:
        candidates: `candidates(start, stop)` returns candidates start..stop-1 of an endless or ending sequence,
            float32 (at most stop - start, D); fewer where the sequence ends.
        count: number of vectors.
        max_similarity: largest cosine allowed between two of them, -1..1; None: any.
        round_size: least number of candidates drawn at a time.
        device: where they are compared if torch is installed and sees it, like 'cuda:0', and else on the CPU; the
            choice is the same.

    Raises:
        VectorsError: the sequence ends too early, or hardly any of the last candidates passed.
    """
    kept = candidates(0, 0)
    device = "cpu" if max_similarity is None else torch_device(device)
    drawn = drawn_lately = passed_lately = 0
    while len(kept) < count:
        missing = count - len(kept)
        # A round reads all that are kept, so it grows with them.
        size = missing if max_similarity is None else max(missing, len(kept) // 8, round_size)
        fresh = candidates(drawn, drawn + size)
        passed = fresh if max_similarity is None else _separated(kept, fresh, max_similarity, device)
        kept = np.concatenate([kept, passed[:missing]])
        drawn, drawn_lately, passed_lately = drawn + len(fresh), drawn_lately + len(fresh), passed_lately + len(passed)
        has_ended = len(fresh) < size
        is_hopeless = drawn_lately >= WINDOW and passed_lately < MIN_RATE * drawn_lately
        if len(kept) < count and (has_ended or is_hopeless):
            raise VectorsError(_too_few(len(kept), count, drawn, max_similarity, has_ended))
        if drawn_lately >= WINDOW:
            drawn_lately = passed_lately = 0
    return kept


def _separated(kept: Vectors, fresh: Vectors, max_similarity: float, device: str) -> Vectors:
    """Returns the fresh candidates that keep their distance from the kept ones and from each other."""
    together = np.concatenate([kept, fresh])
    passes = separate(together, max_similarity, num_settled=len(kept), device=device)[len(kept) :]
    chosen: Vectors = fresh[passes]
    return chosen


def _too_few(found: int, count: int, drawn: int, max_similarity: float | None, has_ended: bool) -> str:
    if max_similarity is None:
        return f"{count} identity vectors wanted, there are {found}; lower the count or add vectors"
    why = "there are no more" if has_ended else "hardly any candidate passes now"
    return (
        f"{count} identity vectors with max_similarity {max_similarity} wanted, found {found} among {drawn} "
        f"candidates, and {why}; lower the count or raise max_similarity"
    )
