from itertools import pairwise

import numpy as np

from synth.rendering.attributes import Attributes
from synth.rendering.coordinates import BLOCKS
from synth.rendering.decoding import decode_attributes
from synth.rendering.fields import FIELD_COUNT, field_offset
from synth.rendering.head import load_head
from synth.rendering.morph import local_controls, shape_vertices
from synth.rendering.prior import DEFAULT_PRIOR, IdentityPrior
from tests.synth.rendering.vectors import close_vector, random_vectors


def shape(vector, prior: IdentityPrior = DEFAULT_PRIOR):
    return shape_vertices(decode_attributes(vector, prior), prior)


def centred(vertices):
    return vertices - vertices.mean(axis=0)


def test_every_control_and_field_has_a_coordinate():
    assert len(local_controls()) == BLOCKS["shape"]
    assert sum(len(targets) == 2 for _, targets in local_controls()) == BLOCKS["asymmetry"]
    assert BLOCKS["fields"] == FIELD_COUNT


def test_fifty_heads_are_finite_and_of_human_size():
    head = load_head()
    for vector in random_vectors(50):
        vertices = shape(vector)
        assert vertices.dtype == np.float32
        assert np.isfinite(vertices).all()
        face = vertices[head.skin & (head.vertices[:, 1] > 6.2)]
        width, height, _ = face.max(axis=0) - face.min(axis=0)
        assert 1.2 < width < 2.6
        assert 1.9 < height < 3.8


def test_local_fields_leave_the_corners_of_the_mouth_where_they_are():
    corners = load_head().landmark_vertices[1:]
    local = IdentityPrior(proportion_spread=0.0, eye_spread=0.0)
    for coefficients in np.random.default_rng(2).standard_normal((20, FIELD_COUNT)):
        offset = field_offset(coefficients, local)
        assert np.abs(offset[corners, :2]).max() < 1e-6
        assert np.abs(offset).max() > 0.02


def test_proportions_of_faces_are_not_far_more_varied_than_peoples():
    landmarks = np.stack([load_head().landmarks(shape(vector))[:, :2] for vector in random_vectors(100)])
    right, left, _, mouth_right, mouth_left = landmarks.swapaxes(0, 1)
    eyes = np.linalg.norm(left - right, axis=1)
    mouth = np.linalg.norm(mouth_left - mouth_right, axis=1) / eyes
    drop = np.linalg.norm((mouth_left + mouth_right) / 2 - (left + right) / 2, axis=1) / eyes

    # Eye distances of people vary by 5 to 6 % (ANSUR II), widths of mouths by 6 to 7 % (Farkas 1994). Somewhat more
    # keeps identities apart; three times as much made caricatures.
    assert 0.04 < eyes.std() / eyes.mean() < 0.09
    assert 0.07 < mouth.std() / mouth.mean() < 0.14
    assert 0.06 < drop.std() / drop.mean() < 0.13


def test_fields_leave_the_midline_where_it_is():
    head = load_head()
    midline = np.abs(head.vertices[:, 0]) < 1e-6
    for coefficients in np.random.default_rng(0).standard_normal((20, FIELD_COUNT)):
        assert np.abs(field_offset(coefficients, DEFAULT_PRIOR)[midline, 0]).max() < 1e-5


def test_fields_do_not_swap_the_sides_of_a_face():
    head = load_head()
    x = head.vertices[:, 0]
    beside = head.skin & (np.abs(x) > 0.02)
    for coefficients in np.random.default_rng(1).standard_normal((20, FIELD_COUNT)):
        moved = x + field_offset(coefficients, DEFAULT_PRIOR)[:, 0]
        assert np.mean(np.sign(moved[beside]) == np.sign(x[beside])) > 0.995


def test_close_vectors_give_close_heads_and_others_do_not():
    head = load_head()
    vectors = random_vectors(12)
    shapes = [shape(vector) for vector in vectors]
    face = head.skin & (head.vertices[:, 2] > 0.8)

    def gap(a, b):
        return np.linalg.norm(centred(a)[face] - centred(b)[face], axis=1).mean()

    near = [gap(a, shape(close_vector(vector, 0.995))) for vector, a in zip(vectors, shapes, strict=True)]
    far = [gap(a, b) for a, b in pairwise(shapes)]
    assert np.median(near) < 0.2 * np.median(far)


def test_weight_widens_jowls_and_neck():
    base = decode_attributes(random_vectors(1)[0])
    fields = {name: getattr(base, name) for name in Attributes.__dataclass_fields__}
    head = load_head()
    jowls = head.skin & (np.abs(head.vertices[:, 1] - 6.2) < 0.1)
    widths = []
    for weight in (0.1, 0.9):
        vertices = shape_vertices(Attributes(**fields | {"weight": weight}))
        widths.append(np.ptp(vertices[jowls, 0]))
    assert widths[1] > widths[0] + 0.1


def test_wider_priors_give_wider_spread():
    vectors = random_vectors(10)
    narrow = IdentityPrior(shape_spread=0.2, field_spread=0.02, proportion_spread=0.2, eye_spread=0.2)
    spread = [
        np.std([centred(shape(vector, prior)) for vector in vectors], axis=0).mean()
        for prior in (narrow, DEFAULT_PRIOR)
    ]
    assert spread[1] > 1.2 * spread[0]
