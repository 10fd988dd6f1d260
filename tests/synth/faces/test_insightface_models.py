import pytest

from synth.errors import WeightsError
from synth.faces.insightface_models import find_models
from synth.spaces import ANTELOPEV2, ARCFACE_WEBFACE42M
from tests.synth.recognisers.tiny_pack import write_detector, write_pack, write_recogniser


def test_models_are_told_apart_by_their_shapes(tmp_path):
    write_pack(tmp_path, recogniser="a.onnx")
    write_recogniser(tmp_path / "landmarks.onnx", side=192)
    write_recogniser(tmp_path / "age.onnx", side=96)

    models = find_models(tmp_path, None, "tiny")

    assert models.detector.path == tmp_path / "det.onnx"
    assert models.recogniser.path == tmp_path / "a.onnx"


def test_several_recognisers_need_a_choice(tmp_path):
    write_pack(tmp_path, recogniser="mine.onnx")
    write_recogniser(tmp_path / "other.onnx")

    with pytest.raises(ValueError, match=r"several recognisers \(mine\.onnx, other\.onnx\).*wrong identities"):
        find_models(tmp_path, None, "tiny")
    assert find_models(tmp_path, "other.onnx", "tiny").recogniser.path.name == "other.onnx"


def test_a_space_chooses_among_known_recognisers(tmp_path):
    write_pack(tmp_path, recogniser="arcface.onnx")
    write_recogniser(tmp_path / "glintr100.onnx")

    with pytest.raises(ValueError, match=r"Arc2Face needs arcface\.onnx"):
        find_models(tmp_path, None, None)
    assert find_models(tmp_path, None, ARCFACE_WEBFACE42M).recogniser.path.name == "arcface.onnx"
    assert find_models(tmp_path, None, ANTELOPEV2).recogniser.path.name == "glintr100.onnx"


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(WeightsError, match="absent: missing"):
        find_models(tmp_path / "absent", None, None)


def test_a_missing_detector_is_named(tmp_path):
    write_recogniser(tmp_path / "arcface.onnx")

    with pytest.raises(
        WeightsError, match=r"has no detection model, only arcface\.onnx; add one, like scrfd_10g_bnkps"
    ):
        find_models(tmp_path, None, None)


def test_a_missing_recogniser_is_named(tmp_path):
    write_detector(tmp_path / "det.onnx")

    with pytest.raises(WeightsError, match=r"has no recognition model, only det\.onnx"):
        find_models(tmp_path, None, None)
    with pytest.raises(WeightsError, match=r"arcface\.onnx: missing"):
        find_models(tmp_path, "arcface.onnx", None)
    with pytest.raises(WeightsError, match=r"det\.onnx: is no recogniser"):
        find_models(tmp_path, "det.onnx", None)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(WeightsError, match=r"has no detection model, only no \.onnx file"):
        find_models(tmp_path, None, None)


def test_models_one_folder_deeper_are_pointed_at(tmp_path):
    write_pack(tmp_path / "antelopev2")

    with pytest.raises(WeightsError, match=r"set `weights: .*antelopev2`"):
        find_models(tmp_path, None, "tiny")


@pytest.mark.parametrize("kept", [0, 1000, 100_000])
def test_half_a_download_is_refused(tmp_path, kept):
    write_pack(tmp_path)
    path = tmp_path / "rec.onnx"
    path.write_bytes(path.read_bytes()[:kept])

    with pytest.raises(WeightsError, match=r"rec\.onnx: is (empty|no ONNX model or only a part of one)"):
        find_models(tmp_path, None, "tiny")


def test_a_stored_web_page_is_refused(tmp_path):
    write_pack(tmp_path)
    (tmp_path / "rec.onnx").write_text("<!DOCTYPE html><html>")

    with pytest.raises(WeightsError, match="is a web page"):
        find_models(tmp_path, None, "tiny")
