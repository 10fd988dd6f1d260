import numpy as np

from synth.rendering.decoding import decode_attributes
from synth.rendering.head import load_head
from synth.rendering.lids import FREE, TOUCHING, fit_lids
from synth.rendering.morph import shape_vertices
from tests.synth.rendering.vectors import random_vectors


def distances(vertices, ids):
    """From the centre of an eye, in radii of its ball."""
    away = np.linalg.norm(vertices - vertices[ids].mean(axis=0), axis=1)
    return away / away[ids].mean()


def test_lids_are_as_far_from_moved_and_grown_eyeballs_as_before():
    head = load_head()
    moved = head.vertices.copy()
    for ids in head.eye_vertices:
        centre = moved[ids].mean(axis=0)
        moved[ids] = centre + 1.2 * (moved[ids] - centre) + [0.02, 0.01, 0.03]

    fitted = fit_lids(moved, head.vertices, head)

    for ids in head.eye_vertices:
        before, after = distances(head.vertices, ids), distances(fitted, ids)
        near = head.skin & (before < TOUCHING)
        assert near.sum() > 50
        assert np.abs(distances(moved, ids)[near] - before[near]).max() > 0.1
        np.testing.assert_allclose(after[near], before[near], atol=1e-4)


def test_what_is_not_near_an_eye_stays():
    head = load_head()
    moved = head.vertices.copy()
    for ids in head.eye_vertices:
        moved[ids] += [0.0, 0.0, 0.05]
    fitted = fit_lids(moved, head.vertices, head)

    reach = np.min([distances(head.vertices, ids) for ids in head.eye_vertices], axis=0)
    assert (fitted[reach >= FREE] == moved[reach >= FREE]).all()
    assert (fitted[np.concatenate(head.eye_vertices)] == moved[np.concatenate(head.eye_vertices)]).all()


def test_no_eyeball_shows_through_the_skin_around_it():
    head = load_head()
    for vector in random_vectors(20):
        vertices = shape_vertices(decode_attributes(vector))
        for ids, centre in zip(head.eye_vertices, head.eye_centres, strict=True):
            below = head.vertices - centre
            beyond = head.skin & (np.linalg.norm(below, axis=1) > 1.2 * head.eye_radius)
            assert distances(vertices, ids)[beyond].min() > 1.0
