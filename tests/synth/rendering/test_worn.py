import numpy as np
import pytest

from synth.rendering.head import load_head
from synth.rendering.nuisance import Wear
from synth.rendering.wardrobe import dress
from synth.rendering.worn.mesh import joined, sheet_triangles, tube

NOTHING = {"glasses": False, "sunglasses": False, "hat": False, "mask": False, "occluder": False, "style": 3}


def worn_by(face, **things):
    return dress(face, face.vertices, Wear(**{**NOTHING, **things}))


def test_a_tube_keeps_its_radius():
    path = np.column_stack([np.linspace(0, 1, 9), np.zeros(9), np.zeros(9)])
    vertices, triangles = tube(path, 0.1, closed=False)
    assert np.linalg.norm(vertices[:, 1:], axis=1) == pytest.approx(0.1)
    assert triangles.max() == len(vertices) - 1


def test_a_wrapped_sheet_has_no_border():
    triangles = sheet_triangles(5, 7, wrap_rows=True, wrap_columns=True)
    assert len(triangles) == 2 * 5 * 7
    assert np.bincount(triangles.ravel()).tolist() == [6] * 35


def test_joined_pieces_keep_their_own_vertices():
    piece = (np.zeros((3, 3)), np.array([[0, 1, 2]], np.int32))
    vertices, triangles = joined([piece, piece])
    assert len(vertices) == 6
    assert triangles.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_nothing_worn_hides_nothing(face):
    outfit = worn_by(face)
    assert outfit.worn == []
    assert outfit.cover.hat_front == outfit.cover.mask_top == 0


def test_glasses_stand_before_the_eyes(face):
    (frame,) = worn_by(face, glasses=True).worn
    eyes = load_head().eyeball_centres(face.vertices)
    assert frame.vertices[:, 2].max() > eyes[:, 2].max() + load_head().eye_radius
    assert frame.vertices[:, 0].min() < eyes[1, 0] < eyes[0, 0] < frame.vertices[:, 0].max()


def test_sunglasses_have_dark_lenses(face):
    _, lenses = worn_by(face, glasses=True, sunglasses=True).worn
    assert lenses.colour.max() < 0.05


@pytest.mark.parametrize("style", range(4))
def test_a_hat_encloses_the_crown_and_hides_its_hair(face, style):
    outfit = worn_by(face, hat=True, style=style)
    head = load_head()
    assert outfit.worn[0].vertices[:, 1].max() > face.vertices[head.skin, 1].max()
    assert outfit.cover.hat_front > 0


def test_a_mask_covers_nose_mouth_and_chin(face):
    sheet, loops = worn_by(face, mask=True).worn
    head = load_head()
    nose, mouth = face.vertices[head.landmark_vertices[0]], face.vertices[head.landmark_vertices[1]]
    assert sheet.vertices[:, 2].max() > nose[2]
    assert sheet.vertices[:, 1].min() < mouth[1] < nose[1] < sheet.vertices[:, 1].max()
    assert abs(loops.vertices[:, 0]).max() > abs(sheet.vertices[:, 0]).max()


def test_style_decides_the_looks(face):
    first, again, other = (worn_by(face, hat=True, style=style).worn[0].colour for style in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
