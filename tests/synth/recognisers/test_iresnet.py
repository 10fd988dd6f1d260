from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from synth.components import ComponentSpec, build  # noqa: E402
from synth.errors import ComponentError, WeightsError  # noqa: E402
from synth.networks.iresnet import IResNet, load_iresnet  # noqa: E402
from synth.recognisers.iresnet import Iresnet  # noqa: E402
from synth.spaces import ARCFACE_GLINT360K, ELASTICFACE_MS1MV2  # noqa: E402
from synth.types import Faces  # noqa: E402
from tests.synth.recognisers.faces import rendered_faces  # noqa: E402
from tests.synth.recognisers.iresnet_checkpoint import write_adaface, write_iresnet  # noqa: E402


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "backbone.pth"
    write_iresnet(path)
    return str(path)


@pytest.fixture(scope="module")
def network(weights):
    return load_iresnet(Path(weights))


@pytest.fixture(scope="module")
def recogniser(weights):
    return Iresnet(weights=weights, space="tiny", batch_size=4)


def crops(count=5, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 112, 112, 3), dtype=np.uint8)


def expected_embeddings(network, aligned, *, flip=False):
    faces = torch.from_numpy(aligned.transpose(0, 3, 1, 2).astype(np.float32) / 255 - 0.5) / 0.5
    with torch.inference_mode():
        features = network(faces)
        if flip:
            features = features + network(faces.flip(3))
    return (features / features.norm(dim=1, keepdim=True)).numpy()


def test_faces_are_found_aligned_and_embedded(recogniser, network):
    faces = recogniser.recognise(rendered_faces())

    assert faces.found.all()
    assert faces.counts.tolist() == [1, 1, 1]
    assert faces.embeddings.shape == (3, 512)
    assert np.linalg.norm(faces.embeddings, axis=1) == pytest.approx(1, abs=1e-6)
    assert faces.embeddings == pytest.approx(expected_embeddings(network, faces.aligned), abs=1e-5)


def test_an_image_without_a_face_has_zeros(recogniser):
    images = rendered_faces()
    images[1] = 0

    faces = recogniser.recognise(images)

    assert faces.found.tolist() == [True, False, True]
    assert not any(getattr(faces, name)[1].any() for name in Faces.__dataclass_fields__)


def test_the_network_sees_red_first(recogniser, network):
    red = np.zeros((1, 112, 112, 3), dtype=np.uint8)
    red[..., 0] = 255

    embedded = recogniser.embed(red)

    assert embedded == pytest.approx(expected_embeddings(network, red), abs=1e-5)
    assert (embedded @ recogniser.embed(red[..., ::-1]).T).item() < 0.999


def test_with_flip_the_mirrored_face_counts_as_much(weights, network):
    recogniser = Iresnet(weights=weights, space="tiny", flip=True, batch_size=5)
    aligned = crops()

    embedded = recogniser.embed(aligned)

    assert embedded == pytest.approx(expected_embeddings(network, aligned, flip=True), abs=1e-5)
    assert recogniser.embed(aligned[:, :, ::-1]) == pytest.approx(embedded, abs=1e-6)


@pytest.mark.parametrize("size", [1, 2, 3, 11])
def test_embeddings_do_not_depend_on_the_batch(recogniser, size):
    aligned = crops(11)
    everything = recogniser.embed(aligned)

    for start in range(0, 11, size):
        rows = slice(start, start + size)
        assert np.array_equal(recogniser.embed(aligned[rows]), everything[rows])


def test_no_images_give_no_faces(recogniser):
    faces = recogniser.recognise(np.empty((0, 112, 112, 3), dtype=np.uint8))

    assert faces.embeddings.shape == (0, 512)


def test_half_precision_changes_embeddings_little(weights, recogniser):
    rough = Iresnet(weights=weights, space="tiny", precision="bfloat16", batch_size=5).embed(crops())

    assert (rough * recogniser.embed(crops())).sum(axis=1).min() > 0.999


def test_the_space_is_the_one_that_the_options_name(recogniser):
    assert recogniser.space == "tiny"
    assert Iresnet.embedding_space({"weights": "none.pth", "space": ARCFACE_GLINT360K}) == ARCFACE_GLINT360K
    with pytest.raises(ValueError, match="name its embedding space"):
        Iresnet.embedding_space({"weights": "none.pth"})


def test_published_weights_come_with_their_origin_and_licence():
    (arcface,) = Iresnet.weight_files({"weights": "models/r100.pth", "space": ARCFACE_GLINT360K})
    (elastic,) = Iresnet.weight_files({"weights": "elastic.pth", "space": ELASTICFACE_MS1MV2})
    (own,) = Iresnet.weight_files({"weights": "own.pth", "space": "own"})

    assert (str(arcface.path), arcface.repo, arcface.name) == (
        "models/r100.pth",
        "BooBooWu/Vec2Face",
        "weights/arcface-r100-glint360k.pth",
    )
    assert elastic.license.startswith("CC BY-NC-SA 4.0")
    assert (str(own.path), own.license) == ("own.pth", "")


def test_missing_weights_are_named_with_the_way_to_get_them(tmp_path):
    spec = ComponentSpec("recogniser", "iresnet", {"weights": str(tmp_path / "no.pth"), "space": ARCFACE_GLINT360K})

    with pytest.raises(WeightsError, match=r"no\.pth: missing; `synth weights CONFIG --download` fetches it"):
        build(spec)


@pytest.mark.parametrize("flip", [False, True])
def test_checkpoints_of_adaface_see_blue_first(tmp_path, flip):
    network = write_adaface(tmp_path / "adaface.ckpt")
    aligned = crops()

    embedded = Iresnet(weights=str(tmp_path / "adaface.ckpt"), space="adaface", flip=flip, batch_size=5).embed(aligned)

    expected = expected_embeddings(network, aligned[..., ::-1].copy(), flip=flip)
    assert embedded == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_checkpoints_of_adaface_compute_in_half_precision(tmp_path, precision):
    write_adaface(tmp_path / "adaface.ckpt")
    options = {"weights": str(tmp_path / "adaface.ckpt"), "space": "adaface", "batch_size": 5}

    rough = Iresnet(**options, precision=precision).embed(crops())

    assert (rough * Iresnet(**options).embed(crops())).sum(axis=1).min() > 0.999


@pytest.mark.parametrize("name", ["backbone.weight", "model.input_layer.0.weight"])
def test_weights_of_another_network_are_refused(tmp_path, name):
    torch.save({name: torch.zeros(64, 3, 3, 3)}, tmp_path / "other.ckpt")

    with pytest.raises(WeightsError, match=r"other\.ckpt: no (iResNet|AdaFace) checkpoint"):
        Iresnet(weights=str(tmp_path / "other.ckpt"), space="other")


def test_embeddings_of_another_size_are_refused(tmp_path):
    torch.save(IResNet((1, 1, 1, 1), (4, 4, 4, 4), stem=4, embedding_size=128).state_dict(), tmp_path / "small.pth")

    with pytest.raises(WeightsError, match="embeddings of 128 numbers, expected 512"):
        Iresnet(weights=str(tmp_path / "small.pth"), space="small")


def test_embeddings_that_are_no_numbers_are_refused(tmp_path):
    tensors = write_iresnet(tmp_path / "tiny.pth").state_dict()
    too_large = {"fc.bias": torch.full((512,), 3e38), "features.weight": torch.full((512,), 10.0)}
    torch.save(tensors | too_large, tmp_path / "broken.pth")

    with pytest.raises(WeightsError, match="not finite"):
        Iresnet(weights=str(tmp_path / "broken.pth"), space="tiny").embed(crops(1))


@pytest.mark.parametrize(
    "wrong", [{"space": ""}, {"batch_size": 0}, {"min_score": 0.0}, {"detection_size": 16}, {"device": "tpu"}]
)
def test_options_out_of_range_are_refused(weights, wrong):
    options = {"weights": weights, "space": "tiny"} | wrong

    with pytest.raises(ComponentError, match=next(iter(wrong))):
        build(ComponentSpec("recogniser", "iresnet", options))
