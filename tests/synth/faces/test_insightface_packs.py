import json

import pytest

from synth.errors import WeightsError
from synth.faces.insightface_packs import LICENSE, license_of, pack_files, pack_space
from synth.spaces import ANTELOPEV2, ARCFACE_WEBFACE42M, BUFFALO_L


def pack(folder, *names):
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"a model")
    return folder


def names_of(files):
    return [file.path.name for file in files]


@pytest.mark.parametrize(
    ("name", "space"),
    [("arcface.onnx", ARCFACE_WEBFACE42M), ("glintr100.onnx", ANTELOPEV2), ("w600k_r50.onnx", BUFFALO_L)],
)
def test_published_recognisers_say_their_space_by_name(tmp_path, name, space):
    assert pack_space(pack(tmp_path, "det.onnx", name), None, None) == space
    assert pack_space(tmp_path / "absent", name, None) == space
    assert pack_space(tmp_path / "absent", name, space) == space


def test_the_space_of_other_recognisers_has_to_be_named(tmp_path):
    folder = pack(tmp_path, "det.onnx", "mine.onnx")

    assert pack_space(folder, None, "mine") == "mine"
    assert pack_space(folder, "mine.onnx", "mine") == "mine"
    with pytest.raises(ValueError, match=r"no recogniser that is known by its name .*; name its embedding space"):
        pack_space(folder, None, None)
    with pytest.raises(ValueError, match=r"mine\.onnx does not say into which space"):
        pack_space(folder, "mine.onnx", None)


def test_a_folder_that_is_not_there_needs_a_space_or_a_known_name(tmp_path):
    assert pack_space(tmp_path / "absent", None, "mine") == "mine"
    with pytest.raises(ValueError, match="name its embedding space"):
        pack_space(tmp_path / "absent", None, None)


def test_a_space_that_contradicts_a_known_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match=rf"glintr100\.onnx embeds into '{ANTELOPEV2}'; remove `space`"):
        pack_space(pack(tmp_path, "glintr100.onnx"), None, ARCFACE_WEBFACE42M)


def test_of_two_known_recognisers_one_has_to_be_chosen(tmp_path):
    folder = pack(tmp_path, "arcface.onnx", "glintr100.onnx")

    with pytest.raises(ValueError, match=r"several recognisers \(arcface\.onnx, glintr100\.onnx\)"):
        pack_space(folder, None, None)
    assert pack_space(folder, "arcface.onnx", None) == ARCFACE_WEBFACE42M
    assert pack_space(folder, None, ANTELOPEV2) == ANTELOPEV2


def test_an_absent_pack_lists_what_to_get_from_where(tmp_path):
    detector, recogniser = pack_files(tmp_path / "absent", None, ARCFACE_WEBFACE42M)

    assert (detector.path.name, recogniser.path.name) == ("scrfd_10g_bnkps.onnx", "arcface.onnx")
    assert "antelopev2.zip" in detector.origin
    assert detector.license == LICENSE
    assert (recogniser.repo, recogniser.name) == ("FoivosPar/Arc2Face", "arcface.onnx")
    assert names_of(pack_files(tmp_path / "absent", "w600k_r50.onnx", None)) == ["det_10g.onnx", "w600k_r50.onnx"]


def test_an_absent_pack_of_an_own_space_is_listed_as_a_whole(tmp_path):
    (whole,) = pack_files(tmp_path / "absent", None, "mine")

    assert whole.path == tmp_path / "absent"
    assert not whole.is_present


def test_a_present_pack_lists_the_two_models_that_are_used(tmp_path):
    folder = pack(tmp_path, "1k3d68.onnx", "genderage.onnx", "glintr100.onnx", "scrfd_10g_bnkps.onnx")

    assert names_of(pack_files(folder, None, None)) == ["scrfd_10g_bnkps.onnx", "glintr100.onnx"]


def test_what_is_missing_beside_what_is_there_is_listed(tmp_path):
    folder = pack(tmp_path, "scrfd_10g_bnkps.onnx", "glintr100.onnx")

    detector, recogniser = pack_files(folder, "arcface.onnx", None)

    assert (detector.is_present, recogniser.is_present) == (True, False)
    assert names_of(pack_files(pack(tmp_path / "bare", "arcface.onnx"), None, None)) == [
        "scrfd_10g_bnkps.onnx",
        "arcface.onnx",
    ]


def test_an_unknown_file_that_may_be_the_detector_is_listed_in_place_of_a_known_one(tmp_path):
    folder = pack(tmp_path, "my_detector.onnx", "arcface.onnx")

    assert names_of(pack_files(folder, None, None)) == ["my_detector.onnx", "arcface.onnx"]


def test_the_manifest_is_one_of_the_files(tmp_path):
    folder = pack(tmp_path, "scrfd_10g_bnkps.onnx", "arcface.onnx")
    (folder / "manifest.json").write_text("{}")

    assert names_of(pack_files(folder, None, None)) == ["scrfd_10g_bnkps.onnx", "arcface.onnx", "manifest.json"]


def test_a_pack_of_unknown_names_lists_all_its_models(tmp_path):
    assert names_of(pack_files(pack(tmp_path, "det.onnx", "rec.onnx"), None, "mine")) == ["det.onnx", "rec.onnx"]


def test_a_pack_that_unpacked_into_itself_is_refused_with_the_folder_to_use(tmp_path):
    pack(tmp_path / "antelopev2", "glintr100.onnx")

    with pytest.raises(WeightsError, match=r"one folder deeper, in .*antelopev2; set `weights: .*antelopev2`"):
        pack_files(tmp_path, None, ANTELOPEV2)


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        (None, LICENSE),
        ("no json", LICENSE),
        (json.dumps({"license": 3}), LICENSE),
        (json.dumps({"license": "MODEL.LICENSE"}), LICENSE),
        (json.dumps({"license": "Apache-2.0"}), "Apache-2.0"),
    ],
)
def test_the_licence_is_the_manifests_or_the_one_of_all_packs(tmp_path, manifest, expected):
    if manifest is not None:
        (tmp_path / "manifest.json").write_text(manifest)

    assert license_of(tmp_path) == expected


def test_a_licence_file_is_pointed_at(tmp_path):
    (tmp_path / "manifest.json").write_text(json.dumps({"license": "MODEL.LICENSE"}))
    (tmp_path / "MODEL.LICENSE").write_text("{}")

    assert license_of(tmp_path) == f"see {tmp_path / 'MODEL.LICENSE'}"
