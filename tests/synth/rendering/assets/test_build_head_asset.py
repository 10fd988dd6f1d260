import gzip

import numpy as np

from synth.rendering.assets.build_head_asset import Mesh, local_targets, main, read_target, triangulate

TEXT = """# a comment
v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0
vt 0 0
vt 1 1
g body
f 1/1 2/2 3/2 4/1
f 1/1 2/2 3/2 1/1
"""


def test_a_mesh_is_read_by_group_with_indices_from_zero():
    mesh = Mesh(TEXT)
    assert mesh.positions.shape == (4, 3)
    np.testing.assert_array_equal(mesh.quads("body")[0], [[0, 0], [1, 1], [2, 1], [3, 0]])


def test_triangles_without_area_are_dropped():
    triangles, parts = triangulate(Mesh(TEXT).quads("body"), np.zeros(2, dtype=np.int8))
    assert sorted(map(tuple, triangles.tolist())) == [(0, 1, 2), (0, 1, 2), (0, 2, 3)]
    assert len(parts) == 3


def test_a_packed_target_moves_the_vertices_it_names(tmp_path):
    path = tmp_path / "nose-hump-incr.target.gz"
    path.write_bytes(gzip.compress(b"# CC0\n2 .5 0 -.25\n"))
    np.testing.assert_array_equal(read_target(path, 4)[2], [0.5, 0, -0.25])
    assert np.count_nonzero(read_target(path, 4)) == 2


def test_two_ends_of_a_control_share_its_name_and_childish_ones_are_left_out(tmp_path):
    for name in ("nose-hump-incr", "nose-hump-decr", "head-oval", "head-age-incr", "head-age-decr"):
        (tmp_path / f"{name}.target.gz").write_bytes(b"")
    names = {name: path.name.split(".")[0] for name, path in local_targets(tmp_path, "nose")}
    assert names == {
        "local/nose/nose-hump-incr/+": "nose-hump-incr",
        "local/nose/nose-hump-incr/-": "nose-hump-decr",
        "local/nose/head-oval/+": "head-oval",
    }


def test_a_missing_wheel_is_a_usage_error(capsys):
    assert main(["no_such_wheel.whl"]) == 2
    assert "usage" in capsys.readouterr().err
