import numpy as np

from synth.rendering.decoding import decode_attributes
from synth.rendering.head import load_head
from synth.rendering.lashes import grow_lashes
from synth.rendering.morph import shape_vertices
from tests.synth.rendering.vectors import random_vectors


def test_lashes_grow_from_the_edges_of_the_lids_of_any_shape():
    head = load_head()
    for vector in random_vectors(10):
        person = decode_attributes(vector)
        vertices = shape_vertices(person)
        lashes = grow_lashes(person, 1.0)

        assert head.skin[lashes.root_vertices].all()
        roots = np.einsum("nk,nkd->nd", lashes.root_weights, vertices[lashes.root_vertices])
        centres = head.eyeball_centres(vertices)
        away = np.linalg.norm(roots[:, None] - centres, axis=2).min(axis=1)
        radius = np.linalg.norm(vertices[head.eye_vertices[0]] - centres[0], axis=1).mean()
        assert away.max() < 1.4 * radius


def test_lashes_are_no_longer_than_a_centimetre_and_a_half():
    for vector in random_vectors(10):
        tips = grow_lashes(decode_attributes(vector), 1.0).points[:, -1]

        assert np.linalg.norm(tips, axis=1).max() < 0.15
        assert np.abs(tips[:, 1]).max() < 0.1
