import os
from pathlib import Path

import numpy as np
import pytest

import synth.faces.yunet
from synth.components import ComponentSpec, build
from synth.errors import ComponentError, WeightsError
from synth.images import decode_image
from synth.recognisers import yunet_sface
from synth.recognisers.yunet_sface import YunetSface
from synth.types import Faces
from synth.verification import fold_accuracy
from synth.verification_sets import read_bin
from tests.synth.recognisers.faces import rendered_faces

SHARED = Path(os.environ.get("SYNTH_SHARED", Path(__file__).parents[4] / "shared"))


@pytest.fixture(scope="module")
def recogniser():
    return YunetSface()


def equal(first, second):
    """Whether two results hold the same bytes."""
    return all(np.array_equal(getattr(first, name), getattr(second, name)) for name in Faces.__dataclass_fields__)


def part(faces, rows):
    return Faces(**{name: getattr(faces, name)[rows] for name in Faces.__dataclass_fields__})


def test_faces_are_found_where_they_are(recogniser):
    faces = recogniser.recognise(rendered_faces())

    assert faces.found.all()
    assert faces.counts.tolist() == [1, 1, 1]
    assert faces.scores.min() > 0.85
    left_eye, right_eye, nose, left_mouth, right_mouth = np.moveaxis(faces.landmarks, 1, 0)
    assert (left_eye[:, 0] < nose[:, 0]).all()
    assert (nose[:, 0] < right_eye[:, 0]).all()
    assert (left_mouth[:, 0] < right_mouth[:, 0]).all()
    assert (left_eye[:, 1] < nose[:, 1]).all()
    assert (nose[:, 1] < left_mouth[:, 1]).all()
    inside = (faces.landmarks > faces.boxes[:, None, :2]) & (faces.landmarks < faces.boxes[:, None, 2:])
    assert inside.all()


def test_one_person_is_more_like_themselves_than_like_another(recogniser):
    first, again, other = recogniser.recognise(rendered_faces()).embeddings

    assert first @ again > max(first @ other, again @ other) + 0.25


def test_the_same_image_has_a_similarity_of_one_and_unit_length(recogniser):
    images = rendered_faces()[[0, 0]]

    first, again = recogniser.recognise(images).embeddings

    assert np.linalg.norm(first) == pytest.approx(1, abs=1e-6)
    assert np.array_equal(first, again)


@pytest.mark.parametrize("size", [1, 2, 5, 16])
def test_results_do_not_depend_on_the_batch(recogniser, size):
    images = rendered_faces()[np.arange(21) % 3]
    images[5] = 0
    everything = recogniser.recognise(images)

    for start in range(0, 21, size):
        rows = slice(start, start + size)
        assert equal(recogniser.recognise(images[rows]), part(everything, rows))


def test_an_image_without_a_face_has_zeros(recogniser):
    images = rendered_faces()
    images[1] = 0

    faces = recogniser.recognise(images)

    assert faces.found.tolist() == [True, False, True]
    assert faces.counts[1] == 0
    for name in ("scores", "boxes", "landmarks", "aligned", "embeddings"):
        assert not getattr(faces, name)[1].any()


def test_of_several_faces_the_largest_is_described(recogniser):
    first, _, second = rendered_faces()
    wide = np.zeros((1, 160, 320, 3), dtype=np.uint8)
    wide[0, :, :160] = first
    wide[0, 40:120, 200:280] = second[::2, ::2]

    faces = recogniser.recognise(wide)

    assert faces.counts.tolist() == [2]
    assert faces.boxes[0, 2] < 160
    alone = recogniser.recognise(first[None])
    assert faces.embeddings[0] @ alone.embeddings[0] > 0.95


def test_places_follow_the_image_when_it_is_scaled(recogniser):
    images = rendered_faces()
    large = images.repeat(3, axis=1).repeat(3, axis=2)

    small_places, large_places = recogniser.recognise(images).landmarks, recogniser.recognise(large).landmarks

    # A pixel centre x of the small image is 3 x + 1 in the large one.
    assert np.abs(3 * small_places + 1 - large_places).mean() < 1


def test_aligned_crops_are_found_again_at_the_template(recogniser):
    faces = recogniser.recognise(rendered_faces())

    again = recogniser.recognise(faces.aligned)

    assert again.found.all()
    assert (again.embeddings * faces.embeddings).sum(axis=1).min() > 0.9


def test_red_and_blue_are_not_swapped(recogniser):
    images = rendered_faces()

    swapped = recogniser.recognise(images[..., ::-1])
    right = recogniser.recognise(images)

    assert (swapped.embeddings * right.embeddings).sum(axis=1).max() < 0.97
    assert right.scores.mean() > swapped.scores.mean()


@pytest.mark.parametrize("shape", [(160, 90), (64, 300), (33, 33), (400, 400)])
def test_images_of_any_shape_are_accepted(recogniser, shape):
    faces = recogniser.recognise(np.zeros((2, *shape, 3), dtype=np.uint8))

    assert not faces.found.any()


def test_no_images_give_no_faces(recogniser):
    faces = recogniser.recognise(np.empty((0, 112, 112, 3), dtype=np.uint8))

    assert faces.embeddings.shape == (0, 128)


def test_a_higher_min_score_finds_less():
    assert not YunetSface(min_score=0.99).recognise(rendered_faces()).found.any()


@pytest.mark.parametrize(("module", "name"), [(synth.faces.yunet, "yunet.onnx"), (yunet_sface, "sface.onnx")])
def test_altered_and_missing_weights_are_refused(tmp_path, monkeypatch, module, name):
    monkeypatch.setattr(module, "WEIGHTS", tmp_path / name)
    with pytest.raises(WeightsError, match=rf"{name}: missing"):
        YunetSface()

    (tmp_path / name).write_bytes(b"something else")
    with pytest.raises(WeightsError, match="altered"):
        YunetSface()


@pytest.mark.parametrize("options", [{"min_score": 0.0}, {"min_score": 1.5}, {"detection_size": 16}, {"device": "tpu"}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ComponentError, match=next(iter(options))):
        build(ComponentSpec("recogniser", "yunet_sface", options))


@pytest.mark.skipif(not SHARED.joinpath("benchmarks").is_dir(), reason=f"no evaluation faces at {SHARED}")
def test_real_faces_are_told_apart(recogniser):
    pairs = read_bin(SHARED / "benchmarks/lfw_dev/lfw_dev.bin")
    rows = np.arange(0, len(pairs.same), 32)
    crops = np.stack([decode_image(pairs.images[2 * row + k]) for row in rows for k in range(2)])

    embeddings = recogniser.embed(crops)

    scores = (embeddings[0::2] * embeddings[1::2]).sum(axis=1)
    assert fold_accuracy(scores, pairs.same[rows]).mean > 0.96


@pytest.mark.skipif(not SHARED.joinpath("benchmarks").is_dir(), reason=f"no evaluation faces at {SHARED}")
def test_faces_in_photographs_are_found(recogniser):
    photos = sorted(SHARED.joinpath("benchmarks/photos").rglob("*.jpg"))

    found = [recogniser.recognise(decode_image(photo.read_bytes())[None]).found[0] for photo in photos]

    assert len(found) == 60
    assert all(found)
