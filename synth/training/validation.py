"""Judges a recogniser on identities it was not trained on."""

from __future__ import annotations

from collections.abc import Callable

from synth.shards.dataset import DatasetReader
from synth.training.rows import decode_rows
from synth.training.split import Part
from synth.types import Embeddings, Images
from synth.verification import equal_error_rate, genuine_pairs, impostor_pairs, pair_scores

MAX_IMPOSTORS = 50_000


class Validation:
    """The equal error rate between images of held-out identities.

    All pairs of one identity are genuine; of the pairs of different ones up to 50,000 are drawn, always the same.

    Args:
        dataset: with the images.
        held_out: identities no step sees.
        seed: of the draw.

    Raises:
        ShardError: an image cannot be decoded or has another size.
    """

    def __init__(self, dataset: DatasetReader, held_out: Part, seed: int) -> None:
        self._images = decode_rows(dataset, held_out.rows)
        self._genuine = genuine_pairs(held_out.labels)
        self._impostor = impostor_pairs(held_out.labels, MAX_IMPOSTORS, seed)

    def equal_error_rate(self, embed: Callable[[Images], Embeddings]) -> float:
        """Returns the rate, 0..1, with embeddings of uint8 RGB images (N, H, W, 3)."""
        embeddings = embed(self._images)
        genuine, impostor = (pair_scores(embeddings, pairs) for pairs in (self._genuine, self._impostor))
        return equal_error_rate(genuine, impostor)
