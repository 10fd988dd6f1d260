from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from pipelines.config import parse_config  # noqa: E402
from pipelines.estimate import estimate  # noqa: E402
from pipelines.run_directory import RunDirectory  # noqa: E402
from synth.components import ComponentSpec, build  # noqa: E402
from synth.errors import ComponentError, WeightsError  # noqa: E402
from synth.recognisers.trained import Trained  # noqa: E402
from synth.training.backbones.small import Small  # noqa: E402
from synth.training.model_file import ModelDescription, load_model, save_model  # noqa: E402
from synth.types import Faces  # noqa: E402
from tests.synth.recognisers.faces import rendered_faces  # noqa: E402
from tests.toy import CONFIG, run_toy  # noqa: E402

OPTIONS = {"width": 2, "input_size": 56, "embedding_size": 16}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "model.safetensors"
    torch.manual_seed(0)
    description = ModelDescription(ComponentSpec("backbone", "small", OPTIONS), 16, "synth/tiny", {})
    save_model(path, Small(**OPTIONS).state_dict(), description)
    return str(path)


def crops(count=5):
    return np.random.default_rng(0).integers(0, 256, (count, 112, 112, 3), dtype=np.uint8)


@pytest.mark.parametrize("flip", [False, True])
def test_embeddings_are_the_network_s_of_faces_scaled_to_its_input(weights, flip):
    network = load_model(Path(weights))
    faces = torch.from_numpy(crops()).permute(0, 3, 1, 2).double()
    small = ((torch.nn.functional.avg_pool2d(faces, 2) - 127.5) / 127.5).float()
    with torch.inference_mode():
        expected = network(small) + (network(small.flip(3)) if flip else 0)
    expected = torch.nn.functional.normalize(expected).numpy()

    found = Trained(weights=weights, flip=flip, batch_size=3).embed(crops())

    assert found == pytest.approx(expected, abs=1e-5)


def test_no_embedding_depends_on_its_batch(weights):
    together = Trained(weights=weights, batch_size=4).embed(crops())

    alone = np.concatenate([Trained(weights=weights, batch_size=4).embed(crop[None]) for crop in crops()])

    assert np.array_equal(together, alone)


def test_faces_are_found_aligned_and_embedded(weights):
    recogniser = Trained(weights=weights)

    faces = recogniser.recognise(rendered_faces())
    nothing = recogniser.recognise(np.zeros((1, 112, 112, 3), np.uint8))

    assert faces.found.all()
    assert faces.embeddings == pytest.approx(recogniser.embed(faces.aligned), abs=1e-6)
    assert not any(getattr(nothing, name).any() for name in Faces.__dataclass_fields__)


def test_its_space_and_size_are_known_before_it_is_built(weights):
    assert Trained.embedding_space({"weights": weights}) == "synth/tiny"
    assert Trained.embedding_size_of({"weights": weights}) == 16


def test_a_run_is_measured_and_estimated_with_it(weights, tmp_path):
    text = CONFIG.replace("{type: tests.fakes.PaintedRecogniser}", f"{{type: trained, weights: {weights}}}")
    text = text.replace("  - {type: vector_similarity, min: 0.5}\n", "").replace("min: 0.5", "min: 0.0")

    plan = estimate(parse_config(text, "toy.yaml"), RunDirectory(tmp_path / "run"))
    run, _ = run_toy(tmp_path / "run", text=text, until="measure")

    assert [stage.name for stage in plan][2] == "measure"
    assert len(run.shards("measure")) == 4


def test_a_missing_file_is_told_before_anything_is_loaded(tmp_path):
    with pytest.raises(WeightsError, match="missing"):
        Trained(weights=str(tmp_path / "model.safetensors"))


def test_a_batch_size_of_nothing_is_refused(weights):
    with pytest.raises(ComponentError, match="batch_size 0"):
        build(ComponentSpec("recogniser", "trained", {"weights": weights, "batch_size": 0}))
