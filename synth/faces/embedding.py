"""What recognisers share when they embed aligned faces."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from synth.errors import WeightsError
from synth.similarity import unit
from synth.types import Embeddings, Images


def embed_in_batches(
    aligned: Images, batch_size: int, embedding_size: int, embed: Callable[[Images], npt.NDArray[np.float32]]
) -> Embeddings:
    """Embeds aligned faces in batches of one size, the last one filled up with black.

    Libraries choose their kernels by the size of a batch; with one size no embedding depends on how many faces it
    came with.

    Args:
        aligned: uint8 RGB (F, 112, 112, 3).
        batch_size: faces a call of `embed` gets.
        embedding_size: E.
        embed: from uint8 RGB (batch_size, 112, 112, 3) to float32 (batch_size, E) of any length.

    Returns:
        float32 (F, E) of unit length.

    Raises:
        WeightsError: an embedding is not finite.
    """
    embeddings = np.empty((len(aligned), embedding_size), dtype=np.float32)
    for start in range(0, len(aligned), batch_size):
        part = aligned[start : start + batch_size]
        batch = np.zeros((batch_size, *aligned.shape[1:]), dtype=np.uint8)
        batch[: len(part)] = part
        embeddings[start : start + batch_size] = embed(batch)[: len(part)]
    if not np.isfinite(embeddings).all():
        raise WeightsError(
            "the recogniser's embeddings are not finite; its weights are damaged or need a precision of float32"
        )
    return unit(embeddings)
