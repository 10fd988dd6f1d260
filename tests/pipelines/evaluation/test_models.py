import pytest

from pipelines.evaluation.models import parse_model
from synth.errors import ConfigError


def test_a_name_is_a_recogniser_with_its_defaults():
    model = parse_model("yunet_sface")

    assert (model.name, model.spec.type, model.options) == ("yunet_sface", "yunet_sface", "defaults")


def test_a_recogniser_may_have_options():
    model = parse_model("{type: iresnet, weights: some/r50.pth, space: mine, flip: true}")

    assert model.name == "iresnet r50.pth"
    assert model.spec.options == {"weights": "some/r50.pth", "space": "mine", "flip": True}
    assert model.options == "flip True, precision float32"


@pytest.mark.parametrize("name", ["model.safetensors", ""])
def test_a_training_is_named_by_its_folder_or_its_file(tmp_path, name):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"")

    model = parse_model(str(folder / name) if name else str(folder))

    assert (model.name, model.spec.type) == ("mine", "trained")
    assert model.options == "flip True, precision float32"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("arcfase", "no recogniser named 'arcfase'"),
        ("{type: iresnet, weights: a, space: b, flop: 1}", "flop: unknown option"),
        ("{weights: a}", "expected a folder, a recogniser's name"),
        ("[1, 2]", "expected a folder, a recogniser's name"),
        ("{a: [}", "not YAML"),
    ],
)
def test_what_is_no_model_is_refused(text, message):
    with pytest.raises(ConfigError, match=f"--model .*{message}"):
        parse_model(text)


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"has no model\.safetensors"):
        parse_model(str(tmp_path))
