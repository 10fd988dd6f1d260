import numpy as np
import pytest

from synth.components import ComponentSpec, build
from synth.images import decode_image, encode_jpeg
from synth.similarity import cosine, unit
from tests.fakes import DIMENSION, PaintedRecogniser, PaintedVector


def painted(generator, identities=5, per_identity=4):
    vectors = unit(np.random.default_rng(0).standard_normal((identities, DIMENSION))).repeat(per_identity, axis=0)
    indices = np.tile(np.arange(per_identity, dtype=np.int32), identities)
    generated = generator.generate(vectors, indices, np.arange(len(vectors), dtype=np.uint64))
    return vectors, generated


def through_jpeg(images):
    return np.array([decode_image(encode_jpeg(image)) for image in images])


def test_the_recogniser_reads_through_jpeg_what_the_generator_painted():
    vectors, generated = painted(PaintedVector(noise=0.0))

    faces = PaintedRecogniser().recognise(through_jpeg(generated.images))

    assert faces.found.all()
    assert cosine(faces.embeddings, vectors).min() > 0.998


def test_noise_lowers_the_similarity_to_the_vector_by_a_known_amount():
    vectors, generated = painted(PaintedVector(noise=0.5), identities=50)

    faces = PaintedRecogniser().recognise(through_jpeg(generated.images))

    assert cosine(faces.embeddings, vectors).mean() == pytest.approx(1 / np.sqrt(1.25), abs=0.02)


def test_aligned_crops_show_the_same_vector():
    _, generated = painted(PaintedVector())
    recogniser = PaintedRecogniser()

    faces = recogniser.recognise(generated.images)
    again = recogniser.recognise(through_jpeg(faces.aligned))

    assert cosine(faces.embeddings, again.embeddings).min() > 0.998


def test_black_images_are_not_found():
    _, generated = painted(PaintedVector(black_every=2))

    faces = PaintedRecogniser().recognise(through_jpeg(generated.images))

    assert faces.found.tolist() == [True, False] * 10
    assert not faces.embeddings[1].any()


def test_the_same_seed_gives_the_same_image_in_another_batch():
    generator = PaintedVector()
    vectors, generated = painted(generator)

    alone = generator.generate(vectors[7:8], np.array([3], np.int32), np.array([7], np.uint64))

    assert (alone.images[0] == generated.images[7]).all()
    assert alone.truth["yaw"][0] == generated.truth["yaw"][7]


def test_both_are_components():
    assert isinstance(build(ComponentSpec("generator", "tests.fakes.PaintedVector", {"size": 32})), PaintedVector)
    assert isinstance(build(ComponentSpec("recogniser", "tests.fakes.PaintedRecogniser")), PaintedRecogniser)
