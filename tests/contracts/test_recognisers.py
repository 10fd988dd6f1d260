"""What every recogniser in the folder that needs no weights of the user's promises."""

import inspect

import numpy as np
import pytest

from synth.components import ComponentSpec, available, build, resolve
from synth.types import Faces
from tests.synth.recognisers.faces import rendered_faces


def self_contained(name):
    parameters = inspect.signature(resolve("recogniser", name)).parameters.values()
    return all(parameter.default is not inspect.Parameter.empty for parameter in parameters)


RECOGNISERS = [name for name in available("recogniser") if self_contained(name)]


@pytest.fixture(scope="module", params=RECOGNISERS)
def recogniser(request):
    return build(ComponentSpec("recogniser", request.param))


def test_the_embedded_recogniser_is_among_them():
    assert "yunet_sface" in RECOGNISERS


def test_embeddings_have_unit_length_and_the_declared_size(recogniser):
    faces = recogniser.recognise(rendered_faces())

    assert faces.found.all()
    assert faces.embeddings.shape == (3, recogniser.embedding_size)
    assert np.linalg.norm(faces.embeddings, axis=1) == pytest.approx(1, abs=1e-5)


def test_the_same_image_twice_has_a_similarity_of_one(recogniser):
    embeddings = recogniser.recognise(rendered_faces()[[1, 1]]).embeddings

    assert embeddings[0] @ embeddings[1] == pytest.approx(1, abs=1e-5)


def test_a_black_image_has_no_face_and_zeros(recogniser):
    faces = recogniser.recognise(np.zeros((1, 112, 112, 3), dtype=np.uint8))

    assert not any(getattr(faces, name).any() for name in Faces.__dataclass_fields__)


def test_the_order_of_images_does_not_matter(recogniser):
    order = [2, 0, 1]

    faces, reordered = recogniser.recognise(rendered_faces()), recogniser.recognise(rendered_faces()[order])

    for name in Faces.__dataclass_fields__:
        assert np.allclose(getattr(reordered, name), getattr(faces, name)[order], atol=1e-4)


def test_a_recogniser_leaves_its_images_alone(recogniser):
    images = rendered_faces()

    recogniser.recognise(images)

    assert np.array_equal(images, rendered_faces())


def test_a_recogniser_names_its_space(recogniser):
    assert recogniser.space
    assert recogniser.version >= 1
