"""Identity vectors that keep their distance: candidates are drawn in order until enough of them are kept."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from synth.errors import VectorsError
from synth.similarity import separate
from synth.types import Vectors

MIN_ROUND = 8192  # candidates; fewer would say too little about the rate at which they pass
MIN_RATE = 1e-3  # of the candidates of a round must pass, or it is hopeless: the rate only falls


def draw_separated(
    candidates: Callable[[int, int], Vectors], count: int, max_similarity: float | None, min_round: int = MIN_ROUND
) -> Vectors:
    """Returns the first `count` candidates that are not too similar to one kept before.

    The choice is greedy in candidate order and exact (see `synth.similarity.separate`), so it depends neither on how
    many candidates are drawn at a time nor on `count`: a larger count starts with the same vectors.

    Args:
        candidates: `candidates(start, stop)` returns candidates start..stop-1 of an endless or ending sequence,
            float32 (at most stop - start, D); fewer where the sequence ends.
        count: number of vectors.
        max_similarity: largest cosine allowed between two of them, -1..1; None: any.
        min_round: least number of candidates drawn at a time.

    Raises:
        VectorsError: the sequence ends too early, or too few candidates of a round pass to go on.
    """
    kept = candidates(0, 0)
    drawn = 0
    while len(kept) < count:
        missing = count - len(kept)
        size = missing if max_similarity is None else max(missing, min_round)
        fresh = candidates(drawn, drawn + size)
        drawn += len(fresh)
        passed = fresh
        if max_similarity is not None:
            settled = len(kept)
            together = np.concatenate([kept, fresh])
            passed = fresh[separate(together, max_similarity, num_settled=settled)[settled:]]
        kept = np.concatenate([kept, passed[:missing]])
        if len(kept) < count and (len(fresh) < size or len(passed) < MIN_RATE * size):
            raise VectorsError(_too_few(len(kept), count, drawn, max_similarity, ended=len(fresh) < size))
    return kept


def _too_few(found: int, count: int, drawn: int, max_similarity: float | None, ended: bool) -> str:
    if max_similarity is None:
        return f"{count} identity vectors wanted, there are {found}; lower the count or add vectors"
    why = "there are no more" if ended else "hardly any candidate passes now"
    return (
        f"{count} identity vectors with max_similarity {max_similarity} wanted, found {found} among {drawn} "
        f"candidates, and {why}; lower the count or raise max_similarity"
    )
