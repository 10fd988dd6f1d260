import hashlib
import json
import logging
import sys

import numpy as np
import onnx
import pytest

pytest.importorskip("cv2", reason="OpenCV cannot be loaded: `apt install libgl1 libglib2.0-0`", exc_type=ImportError)
pytest.importorskip("insightface", reason="insightface is not installed")

from synth.components import ComponentSpec, build
from synth.errors import ComponentError, WeightsError
from synth.faces.detection import framed
from synth.faces.insightface_packs import LICENSE
from synth.images import decode_image, encode_jpeg
from synth.recognisers.insightface_pack import InsightfacePack
from synth.spaces import ARCFACE_WEBFACE42M
from synth.types import Faces
from tests.synth.recognisers.tiny_pack import (
    DETECTION_SIZE,
    FRAME,
    paint,
    random_vectors,
    write_detector,
    write_pack,
    write_recogniser,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "pack"
    write_pack(path)
    return path


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return write_recogniser(tmp_path_factory.mktemp("weights") / "rec.onnx")


@pytest.fixture(scope="module")
def recogniser(folder):
    return InsightfacePack(weights=str(folder), space="tiny")


def cosines(first, second):
    return (first * second).sum(axis=1)


def test_an_image_has_the_embedding_it_was_painted_for(recogniser, weights):
    vectors = random_vectors(20)

    faces = recogniser.recognise(paint(vectors, weights))

    assert faces.found.all()
    assert faces.counts.tolist() == [1] * 20
    assert np.linalg.norm(faces.embeddings, axis=1) == pytest.approx(1, abs=1e-6)
    assert cosines(faces.embeddings, vectors).min() > 0.999


def test_identity_survives_a_jpeg_of_another_size(recogniser, weights):
    vectors = random_vectors(4)
    large = paint(vectors, weights).repeat(4, axis=1).repeat(4, axis=2)
    images = np.stack([decode_image(encode_jpeg(image, 95)) for image in large])

    assert cosines(recogniser.recognise(images).embeddings, vectors).min() > 0.99


def test_an_aligned_face_is_cut_out_as_it_is(recogniser, weights):
    images = paint(random_vectors(3), weights)

    faces = recogniser.recognise(images)

    assert np.array_equal(faces.aligned, images)
    assert cosines(recogniser.embed(images), faces.embeddings).min() > 0.999999


def test_red_comes_first(recogniser, weights):
    vectors = random_vectors(2)
    images = paint(vectors, weights)

    assert cosines(recogniser.recognise(images[..., ::-1].copy()).embeddings, vectors).max() < 0.9


def test_a_black_image_has_no_face_and_zeros(recogniser, weights):
    images = paint(random_vectors(3), weights)
    images[1] = 0

    faces = recogniser.recognise(images)

    assert faces.found.tolist() == [True, False, True]
    assert not any(getattr(faces, name)[1].any() for name in Faces.__dataclass_fields__)


def test_of_several_faces_the_largest_is_described_and_all_are_counted(recogniser, weights):
    images = paint(random_vectors(1), weights)
    images[:, :14, :14] = 255

    faces = recogniser.recognise(images)

    assert faces.counts.tolist() == [2]
    assert faces.boxes[0] == pytest.approx([11.2, 11.2, 100.8, 106.4], abs=0.01)


@pytest.mark.parametrize("size", [1, 2, 5, 16])
def test_results_do_not_depend_on_the_batch(recogniser, weights, size):
    images = paint(random_vectors(21), weights)
    images[5] = 0
    everything = recogniser.recognise(images)

    for start in range(0, 21, size):
        rows = slice(start, start + size)
        part = recogniser.recognise(images[rows])
        for name in Faces.__dataclass_fields__:
            assert np.array_equal(getattr(part, name), getattr(everything, name)[rows])


def test_no_images_give_no_faces(recogniser):
    assert recogniser.recognise(np.empty((0, 64, 64, 3), dtype=np.uint8)).embeddings.shape == (0, 512)


@pytest.mark.parametrize("shape", [(160, 90), (64, 300), (33, 33)])
def test_images_of_any_shape_are_accepted(recogniser, shape):
    assert not recogniser.recognise(np.zeros((2, *shape, 3), dtype=np.uint8)).found.any()


@pytest.mark.filterwarnings("ignore:`estimate` is deprecated:FutureWarning")  # insightface's alignment, not ours
def test_insightface_itself_sees_the_same_face(recogniser, folder, weights):
    from insightface.app import FaceAnalysis

    images = paint(random_vectors(3), weights)
    analysis = FaceAnalysis(name=str(folder), providers=["CPUExecutionProvider"])
    analysis.prepare(ctx_id=-1)
    frames, scale = framed(images, DETECTION_SIZE - 2 * FRAME, FRAME, DETECTION_SIZE)

    theirs = [analysis.get(np.ascontiguousarray(frame[..., ::-1]))[0] for frame in frames]
    ours = recogniser.recognise(images)

    assert cosines(np.stack([face.normed_embedding for face in theirs]), ours.embeddings).min() > 0.99
    boxes = (np.stack([face.bbox for face in theirs]) - FRAME) / scale.mean()
    assert boxes == pytest.approx(ours.boxes, abs=0.01)


def test_a_detector_of_any_size_finds_the_same(recogniser, weights, tmp_path):
    write_pack(tmp_path)
    write_detector(tmp_path / "det.onnx", fixed=False)
    images = paint(random_vectors(3), weights)

    found = InsightfacePack(weights=str(tmp_path), space="tiny", detection_size=DETECTION_SIZE).recognise(images)

    expected = recogniser.recognise(images)
    for name in Faces.__dataclass_fields__:
        assert np.array_equal(getattr(found, name), getattr(expected, name))


def test_a_recogniser_that_takes_one_face_at_a_time_is_given_one(weights, tmp_path):
    write_detector(tmp_path / "det.onnx")
    write_recogniser(tmp_path / "rec.onnx", batch=1)
    vectors = random_vectors(3)

    faces = InsightfacePack(weights=str(tmp_path), space="tiny").recognise(paint(vectors, weights))

    assert cosines(faces.embeddings, vectors).min() > 0.999


def test_a_higher_min_score_finds_less(folder):
    dim = np.full((1, 112, 112, 3), 29, dtype=np.uint8)  # the tiny detector gives it a score of 0.7

    bold = InsightfacePack(weights=str(folder), space="tiny", min_score=0.01)
    careful = InsightfacePack(weights=str(folder), space="tiny", min_score=0.99)

    assert bold.recognise(dim).found.all()
    assert not careful.recognise(dim).found.any()


def test_a_known_file_says_its_space_and_the_licence_is_logged(tmp_path, caplog):
    write_pack(tmp_path, recogniser="arcface.onnx")

    with caplog.at_level(logging.INFO, logger="synth"):
        recogniser = InsightfacePack(weights=str(tmp_path))

    assert recogniser.space == ARCFACE_WEBFACE42M
    assert LICENSE in caplog.text


def test_the_chosen_recogniser_embeds(tmp_path):
    write_pack(tmp_path, recogniser="first.onnx")
    second = write_recogniser(tmp_path / "second.onnx", seed=5)
    vectors = random_vectors(2)

    faces = InsightfacePack(weights=str(tmp_path), recognition="second.onnx", space="tiny").recognise(
        paint(vectors, second)
    )

    assert cosines(faces.embeddings, vectors).min() > 0.999


def write_manifest(folder, **changes):
    tasks = {
        task: {"file": name, "sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest()}
        for task, name in (("detection", "det.onnx"), ("recognition", "rec.onnx"))
    }
    manifest = {"manifest_version": 2, "model_id": "tiny", "license": "MODEL.LICENSE", "tasks": tasks} | changes
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_a_manifest_names_the_models_and_how_their_pixels_are_prepared(weights, tmp_path):
    write_pack(tmp_path)
    write_manifest(tmp_path)
    vectors = random_vectors(3)

    faces = InsightfacePack(weights=str(tmp_path), space="tiny").recognise(paint(vectors, weights))

    assert cosines(faces.embeddings, vectors).min() > 0.999


def test_a_file_other_than_its_manifest_says_is_refused(tmp_path):
    write_pack(tmp_path)
    write_manifest(tmp_path)
    write_recogniser(tmp_path / "rec.onnx", seed=3)

    with pytest.raises(WeightsError, match=r"manifest\.json: model SHA-256 mismatch"):
        InsightfacePack(weights=str(tmp_path), space="tiny")


def test_a_broken_manifest_is_refused(tmp_path):
    write_pack(tmp_path)
    write_manifest(tmp_path, tasks=[])

    with pytest.raises(WeightsError, match=r"manifest\.json: tasks must be an object"):
        InsightfacePack(weights=str(tmp_path), space="tiny")


def test_a_manifest_of_another_version_is_left_unread_as_insightface_does(tmp_path):
    write_pack(tmp_path)
    write_manifest(tmp_path, manifest_version=1, tasks=[])

    assert InsightfacePack(weights=str(tmp_path), space="tiny").space == "tiny"


def test_a_recogniser_beside_a_manifest_needs_to_be_chosen(tmp_path):
    write_pack(tmp_path)
    write_manifest(tmp_path)
    write_recogniser(tmp_path / "arcface.onnx", seed=3)

    with pytest.raises(ValueError, match="several recognisers"):
        InsightfacePack(weights=str(tmp_path), space="tiny")
    assert InsightfacePack(weights=str(tmp_path), recognition="arcface.onnx").space == ARCFACE_WEBFACE42M


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"side": 128}, "takes 128x128 px, faces are aligned to 112x112"), ({"embedding_size": 64}, "of 64 numbers")],
)
def test_recognisers_of_another_shape_are_refused(tmp_path, changes, message):
    write_detector(tmp_path / "det.onnx")
    write_recogniser(tmp_path / "rec.onnx", **changes)

    with pytest.raises(WeightsError, match=message):
        InsightfacePack(weights=str(tmp_path), space="tiny")


def test_a_detector_without_landmarks_is_refused(tmp_path):
    write_pack(tmp_path)
    write_detector(tmp_path / "det.onnx", landmarks=False)

    with pytest.raises(WeightsError, match=r"det\.onnx: finds no landmarks"):
        InsightfacePack(weights=str(tmp_path), space="tiny")


def test_a_model_that_onnxruntime_cannot_load_is_named(tmp_path):
    write_pack(tmp_path)
    model = onnx.load(tmp_path / "rec.onnx")
    model.graph.node[0].op_type = "NoSuchOperator"
    onnx.save(model, tmp_path / "rec.onnx")

    with pytest.raises(WeightsError, match=r"rec\.onnx: onnxruntime cannot load it"):
        InsightfacePack(weights=str(tmp_path), space="tiny")


def test_space_and_files_are_known_without_building(folder):
    options = {"weights": str(folder), "space": "tiny"}

    assert InsightfacePack.embedding_space(options) == "tiny"
    assert [file.path.name for file in InsightfacePack.weight_files(options)] == ["det.onnx", "rec.onnx"]


@pytest.mark.parametrize(
    "wrong",
    [{"min_score": 0.0}, {"detection_size": 320}, {"device": "tpu"}, {"space": None}, {"space": ""}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_options_out_of_range_are_refused(folder, wrong):
    options = {"weights": str(folder), "space": "tiny"} | wrong

    with pytest.raises(ComponentError, match=next(iter(wrong))):
        build(ComponentSpec("recogniser", "insightface_pack", options))


def test_a_detection_size_off_the_grid_is_refused(tmp_path):
    write_pack(tmp_path)
    write_detector(tmp_path / "det.onnx", fixed=False)

    with pytest.raises(ValueError, match="detection_size 100: expected a multiple of 32 px"):
        InsightfacePack(weights=str(tmp_path), space="tiny", detection_size=100)


def test_a_missing_system_library_is_named(folder, tmp_path, monkeypatch):
    (tmp_path / "cv2.py").write_text('raise ImportError("libGL.so.1: cannot open shared object file")')
    monkeypatch.delitem(sys.modules, "cv2")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(ComponentError, match=r"libGL\.so\.1.*apt install libgl1"):
        InsightfacePack(weights=str(folder), space="tiny")


def test_models_compute_on_one_thread(recogniser, folder, tmp_path):
    write_pack(tmp_path)
    write_detector(tmp_path / "det.onnx", fixed=False)
    flexible = InsightfacePack(weights=str(tmp_path), space="tiny", detection_size=DETECTION_SIZE)
    flexible.recognise(np.zeros((1, 64, 64, 3), dtype=np.uint8))

    sessions = [recogniser._detector.session, recogniser._recogniser.session, flexible._detector.session]
    sessions += flexible._detector.resolution_sessions.values()

    assert len(sessions) == 4
    assert {session.get_session_options().intra_op_num_threads for session in sessions} == {1}
