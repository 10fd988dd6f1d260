import numpy as np
import pytest
from scipy.spatial import cKDTree

from synth.rendering.face import STRAND_POINTS, Face
from synth.rendering.head import load_head
from synth.rendering.identity import build_face, detail_for
from tests.synth.rendering.vectors import close_vector, random_vectors


@pytest.fixture(scope="module")
def faces() -> list[Face]:
    return [build_face(vector) for vector in random_vectors(8)]


def contents(face: Face) -> bytes:
    arrays = [face.vertices, face.normals, face.transfer, face.cavity, face.albedo.numpy(), face.relief.numpy()]
    arrays += [face.radial.centre, face.radial.radii, face.eyes.iris, face.eyes.pattern, face.teeth]
    for strands in face.strands:
        arrays += [strands.points, strands.colours, strands.occlusion, strands.ranks]
    return b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)


def test_the_same_vector_gives_the_same_bytes(faces):
    assert contents(build_face(random_vectors(8)[3])) == contents(faces[3])


def test_nothing_is_nan_over_fifty_people():
    for vector in random_vectors(50, seed=5):
        face = build_face(vector)
        for array in (face.vertices, face.normals, face.transfer, face.cavity, face.radial.radii):
            assert np.isfinite(array).all()
        assert np.isfinite(face.albedo.numpy()).all()
        assert np.isfinite(face.relief.numpy()).all()
        for strands in face.strands:
            assert np.isfinite(strands.points).all()
            assert np.isfinite(strands.colours).all()


def test_arrays_have_the_shapes_of_the_contract(faces):
    count = len(load_head().vertices)
    for face in faces:
        assert face.vertices.shape == face.normals.shape == (count, 3)
        assert face.transfer.shape == (count, 9)
        assert face.cavity.shape == (count,)
        assert face.albedo.shape == face.relief.shape == (np.prod(face.texture_shape),)
        assert face.radial.radii.shape == (48, 96)
        for array in (face.vertices, face.normals, face.transfer, face.cavity, face.radial.radii, face.teeth):
            assert array.dtype == np.float32


def test_strands_fit_together(faces):
    for face in faces:
        assert [strands.kind for strands in face.strands][:4] == ["scalp", "brow", "brow", "lash"]
        for strands in face.strands:
            count = len(strands.points)
            assert strands.points.shape == (count, STRAND_POINTS, 3)
            assert strands.colours.shape == (count, 3)
            assert strands.occlusion.shape == (count, STRAND_POINTS)
            assert strands.ranks.shape == (count,)
            assert ((strands.ranks >= 0) & (strands.ranks <= 1)).all()
            if strands.kind != "scalp":
                assert strands.root_vertices.shape == strands.root_weights.shape == (count, 3)
                np.testing.assert_allclose(strands.root_weights.sum(axis=1), 1, atol=1e-4)


def test_brows_grow_above_the_eyes_and_hairs_stay_short(faces):
    for face in faces:
        eyes = load_head().eyeball_centres(face.vertices)
        for strands in face.strands[1:3]:
            roots = np.einsum("nc,nck->nk", strands.root_weights, face.vertices[strands.root_vertices])
            assert (roots[:, 1] > eyes[:, 1].min()).all()
            assert np.linalg.norm(strands.points, axis=2).max() < 0.3


def test_hair_keeps_off_eyes_nose_and_mouth(faces):
    for face in faces:
        scalp = face.strands[0].points
        eyes, nose, mouth = (face.vertices[load_head().landmark_vertices][k] for k in range(3))
        low, high = mouth[1], nose[1] + 0.2
        before = (scalp[..., 2] > eyes[2] - 0.4) & (np.abs(scalp[..., 0]) < 0.35)
        assert not (before & (scalp[..., 1] > low) & (scalp[..., 1] < high)).any()


def test_hair_starts_on_the_skin_and_lies_outside_it(faces):
    for face in faces:
        scalp = face.strands[0].points
        if len(scalp) == 0:
            assert face.attributes.hair.style == "bald"
            continue
        nearest, _ = cKDTree(face.vertices).query(scalp[:, 0])
        assert nearest.max() < 0.25  # the skull's triangles are up to 0.4 dm wide
        radius = np.linalg.norm(scalp - face.radial.centre, axis=2)
        assert radius.min() > 0.4
        assert radius.max() < 6


def test_albedo_is_the_skin_tone_on_the_cheek(faces):
    for face in faces:
        albedo = face.albedo.numpy().reshape(*face.texture_shape, 3)
        assert albedo.min() >= 0
        assert albedo.max() <= 1
        rows, columns = face.texture_shape
        cheek = albedo[int(0.36 * rows) : int(0.42 * rows), int(0.55 * columns) : int(0.58 * columns)].mean(axis=(0, 1))
        assert cheek[0] > cheek[1] > 0.5 * cheek[2]
    melanin = [face.attributes.skin.melanin for face in faces]
    brightness = [face.albedo.numpy().mean() for face in faces]
    assert np.corrcoef(melanin, brightness)[0, 1] < -0.3


def test_close_vectors_give_nearly_the_same_skin_and_hair():
    vectors = random_vectors(6, seed=9)
    near_gaps, far_gaps, hair_changes = [], [], []
    previous = None
    for vector in vectors:
        face, near = build_face(vector), build_face(close_vector(vector, 0.995))
        albedo = face.albedo.numpy()
        near_gaps.append(np.abs(albedo - near.albedo.numpy()).mean())
        if previous is not None:
            far_gaps.append(np.abs(albedo - previous).mean())
        previous = albedo
        if face.attributes.hair.style == near.attributes.hair.style != "bald":
            hair_changes.append(len(near.strands[0].points) / len(face.strands[0].points))
    assert np.median(near_gaps) < 0.3 * np.median(far_gaps)
    assert hair_changes
    assert all(0.85 < change < 1.18 for change in hair_changes)


def test_cavities_are_darker_than_the_tip_of_the_nose(faces):
    head = load_head()
    for face in faces:
        tip = face.cavity[head.landmark_vertices[0]]
        assert tip > 0.7
        inside_mouth = head.skin & (np.abs(head.vertices[:, 0]) < 0.3) & (np.abs(head.vertices[:, 1] - 6.6) < 0.2)
        assert face.cavity[inside_mouth & (head.vertices[:, 2] < 1.2)].mean() < 0.5 * tip


def test_larger_pictures_get_more_detail():
    small, large = detail_for(112), detail_for(256)
    assert small.texture_shape == (320, 512)
    assert large.texture_shape == (640, 1024)
    assert large.rays > small.rays


def test_bad_vectors_are_refused():
    with pytest.raises(ValueError, match=r"expected shape \(512,\)"):
        build_face(np.ones(100, dtype=np.float32))
