import numpy as np

from synth.rendering.head import load_head
from synth.rendering.kernels.raycast import build_mesh, cast_rays
from synth.rendering.radial import build_radial_map, skin_distance
from synth.rendering.transfer import cavity, harmonics, radiance_transfer, sphere_directions


def rest_mesh():
    head = load_head()
    return build_mesh(head.vertices, head.skin_triangles, "cpu")


def test_harmonics_are_orthonormal_over_the_sphere():
    values = harmonics(sphere_directions(4096)).astype(np.float64)
    np.testing.assert_allclose(values.T @ values * 4 * np.pi / 4096, np.eye(9), atol=2e-3)


def test_transfer_of_open_skin_is_nearly_the_whole_cosine_lobe():
    head = load_head()
    normals = head.vertex_normals(head.vertices)
    transfer = radiance_transfer(head.vertices, normals, rest_mesh(), 96)
    tip = head.landmark_vertices[0]
    uniform_light = np.zeros(9)
    uniform_light[0] = np.sqrt(4 * np.pi)  # radiance 1 from everywhere: irradiance pi
    assert 0.8 * np.pi < transfer[tip] @ uniform_light <= 1.05 * np.pi
    openness = cavity(transfer)
    assert openness.min() >= 0
    assert openness.max() <= 1


def test_more_rays_change_transfer_little():
    head = load_head()
    normals = head.vertex_normals(head.vertices)
    coarse, fine = (radiance_transfer(head.vertices, normals, rest_mesh(), rays) for rays in (48, 96))
    assert np.abs(coarse - fine)[head.skin].mean() < 0.08


def test_rays_hit_the_face_from_the_front_and_miss_beside_it():
    origins = np.array([[0.0, 6.9, 5.0], [3.0, 6.9, 5.0]])
    faces, weights, distances = cast_rays(rest_mesh(), origins, np.array([[0.0, 0.0, -1.0]] * 2))
    assert faces[0] >= 0
    assert abs(weights[0].sum() - 1) < 1e-5
    assert 3.2 < distances[0] < 3.5
    assert faces[1] == -1
    assert distances[1] == -1


def test_the_radial_map_finds_the_skin():
    head = load_head()
    radial = build_radial_map(head.vertices, rest_mesh())
    skull = head.vertices[head.skin & (head.vertices[:, 1] > 7.6) & (head.ears < 0.1)]
    skin, radius, direction = skin_distance(radial, skull)
    assert np.abs(skin - radius).max() < 0.12
    np.testing.assert_allclose(np.linalg.norm(direction, axis=1), 1, atol=1e-4)
