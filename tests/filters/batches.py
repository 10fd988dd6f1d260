"""Builds batches of faces with known answers."""

import numpy as np

from synth.similarity import unit
from synth.types import FaceBatch, Faces


def batch(
    embeddings,
    *,
    identities=None,
    indices=None,
    found=None,
    scores=None,
    counts=None,
    boxes=None,
    aligned=None,
    vectors=None,
    size=(16, 16),
):
    """Returns a FaceBatch; what is not given is plausible, one identity, every face found.

    The images are black, of a size (height, width) in px.
    """
    embeddings = np.asarray(embeddings, dtype=np.float32)
    count = len(embeddings)

    def column(value, default, dtype):
        return np.asarray(default if value is None else value, dtype=dtype)

    found = column(found, np.ones(count), np.bool_)
    faces = Faces(
        found=found,
        scores=column(scores, np.full(count, 0.9), np.float32) * found,
        counts=column(counts, np.ones(count), np.int32) * found,
        boxes=column(boxes, np.tile([10, 20, 60, 80], (count, 1)), np.float32) * found[:, None],
        landmarks=np.zeros((count, 5, 2), dtype=np.float32),
        aligned=column(aligned, np.zeros((count, 112, 112, 3)), np.uint8) * found[:, None, None, None],
        embeddings=unit(embeddings) * found[:, None],
    )
    return FaceBatch(
        identities=column(identities, np.zeros(count), np.int64),
        indices=column(indices, np.arange(count), np.int32),
        vectors=column(vectors, embeddings, np.float32),
        images=np.zeros((count, *size, 3), dtype=np.uint8),
        faces=faces,
    )


def directions(*degrees):
    """Returns unit vectors in the plane, float32 (B, 2)."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
