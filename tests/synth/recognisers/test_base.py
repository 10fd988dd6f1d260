import numpy as np

from synth.similarity import cosine
from tests.fakes import PaintedRecogniser, PaintedVector


def test_a_recogniser_that_cannot_embed_aligned_faces_finds_them_once_more():
    vectors = np.eye(4, 32, dtype=np.float32)
    seeds = np.arange(4, dtype=np.uint64)
    images = PaintedVector().generate(vectors, np.zeros(4, dtype=np.int32), seeds).images
    images[3] = 0
    recogniser = PaintedRecogniser()
    faces = recogniser.recognise(images)

    embeddings = recogniser.embed(faces.aligned)

    assert cosine(embeddings, faces.embeddings)[:3].min() > 0.99
    assert not embeddings[3].any()
