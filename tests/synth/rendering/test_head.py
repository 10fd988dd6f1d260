import numpy as np
import pytest
from scipy.spatial import cKDTree

from synth.rendering.head import ASSET, load_head


def test_the_asset_needs_no_pickle_and_comes_with_its_licence():
    with np.load(ASSET, allow_pickle=False) as file:
        assert file["deltas"].dtype == np.int16
    assert "CC0" in ASSET.with_name("LICENSE.md").read_text()


def test_the_asset_has_no_shapes_of_children():
    targets = [name for name in load_head().target_names if not name.startswith("unit/")]
    assert len(targets) > 380
    assert not [name for name in targets if any(word in name for word in ("child", "baby", "head-age"))]


def test_the_skin_of_the_rest_head_is_symmetric():
    head = load_head()
    skin = head.vertices[head.skin]
    distances, _ = cKDTree(skin).query(skin * [-1, 1, 1])
    assert distances.max() < 1e-3


def test_normals_point_out_of_the_face():
    head = load_head()
    normals = head.vertex_normals(head.vertices)
    tip = head.landmark_vertices[0]
    np.testing.assert_allclose(np.linalg.norm(normals[head.skin], axis=1), 1, atol=1e-3)
    assert normals[tip, 2] > 0.7


def test_landmarks_are_ordered_as_a_viewer_sees_them():
    head = load_head()
    right_eye, left_eye, nose, right_corner, left_corner = head.landmarks(head.vertices)
    assert right_eye[0] < nose[0] < left_eye[0]
    assert right_corner[0] < 0 < left_corner[0]
    assert right_corner[1] < nose[1] < right_eye[1]
    assert nose[2] > right_corner[2] > right_eye[2]
    np.testing.assert_allclose(right_corner * [-1, 1, 1], left_corner, atol=1e-4)


def test_an_open_jaw_lowers_the_chin_and_leaves_the_eyeballs():
    head = load_head()
    offset = head.expression_offset({"jawOpen": 1.0})
    chin = np.argmin(np.linalg.norm(head.vertices - [0, 6.2, 1.4], axis=1))
    assert offset[chin, 1] < -0.05
    for ids in head.eye_vertices:
        assert not offset[ids].any()


def test_an_unknown_face_unit_is_named():
    with pytest.raises(ValueError, match=r"'smirk'.*jawOpen"):
        load_head().expression_offset({"smirk": 1.0})


def test_smoothing_keeps_constants_and_shrinks_a_peak():
    head = load_head()
    ones = np.ones(len(head.vertices), dtype=np.float32)
    np.testing.assert_allclose(head.smooth(ones, 3), 1, rtol=1e-5)
    peak = np.zeros_like(ones)
    peak[head.landmark_vertices[0]] = 1
    assert 0 < head.smooth(peak, 1).max() < 0.5


def test_there_are_52_face_units():
    assert len(load_head().unit_names) == 52
