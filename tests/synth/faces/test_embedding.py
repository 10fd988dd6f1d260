import numpy as np
import pytest

from synth.errors import WeightsError
from synth.faces.embedding import embed_in_batches


def faces(count):
    return np.arange(1, count + 1, dtype=np.uint8)[:, None, None, None] * np.ones((112, 112, 3), dtype=np.uint8)


@pytest.mark.parametrize("count", [0, 1, 4, 5, 8])
def test_every_batch_has_the_same_size_and_no_face_is_lost(count):
    sizes = []

    def embed(batch):
        sizes.append(len(batch))
        return np.stack([batch[:, 0, 0, 0], np.full(len(batch), 3)], axis=1).astype(np.float32)

    embeddings = embed_in_batches(faces(count), 4, 2, embed)

    expected = np.array([[row, 3] for row in range(1, count + 1)]).reshape(-1, 2)
    assert embeddings == pytest.approx(expected / np.linalg.norm(expected, axis=1, keepdims=True), abs=1e-6)
    assert sizes == [4] * -(-count // 4)


def test_embeddings_that_are_no_numbers_are_refused():
    with pytest.raises(WeightsError, match="not finite"):
        embed_in_batches(faces(2), 4, 2, lambda batch: np.full((len(batch), 2), np.inf, dtype=np.float32))
