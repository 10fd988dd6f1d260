import json

import pytest
import safetensors.torch
import torch

from synth.components import ComponentSpec
from synth.errors import WeightsError
from synth.training.backbones.small import Small
from synth.training.model_file import ModelDescription, load_model, read_description, save_model

TINY = {"width": 2, "input_size": 16, "embedding_size": 8}


def description(**options):
    return ModelDescription(ComponentSpec("backbone", "small", TINY | options), 8, "synth/mine", {"images": 3})


@pytest.fixture
def saved(tmp_path):
    torch.manual_seed(0)
    network = Small(**TINY).eval()
    path = tmp_path / "model.safetensors"
    save_model(path, network.state_dict(), description())
    return path, network


def test_a_model_comes_back_with_its_description(saved):
    path, network = saved
    faces = torch.randn(3, 3, 16, 16)

    loaded = load_model(path)

    assert read_description(path) == description()
    assert not loaded.training
    assert torch.equal(loaded(faces), network(faces))


def test_the_same_model_gives_the_same_bytes(saved, tmp_path):
    path, network = saved
    save_model(tmp_path / "again.safetensors", network.state_dict(), description())

    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_weights_of_a_hub_are_not_fetched_again(tmp_path):
    network = Small(**TINY)
    save_model(tmp_path / "model.safetensors", network.state_dict(), description(pretrained=True))

    assert read_description(tmp_path / "model.safetensors") == description()


def test_a_file_of_another_format_is_refused(saved):
    path, network = saved
    header = {"format": 2, "backbone": {"type": "small"}, "embedding_size": 8, "space": "x", "trained_on": {}}
    safetensors.torch.save_file(network.state_dict(), path, {"synth": json.dumps(header)})

    with pytest.raises(WeightsError, match="format 2, this version of synth reads 1"):
        load_model(path)


def test_any_reader_of_safetensors_finds_the_tensors_under_the_backbone_s_names(saved):
    path, network = saved

    assert safetensors.torch.load_file(path).keys() == network.state_dict().keys()


def test_a_missing_file_says_who_makes_it(tmp_path):
    with pytest.raises(WeightsError, match=r"missing; `synth train` writes"):
        load_model(tmp_path / "none.safetensors")


@pytest.mark.parametrize(
    "header",
    [None, {}, {"synth": "[]"}, {"synth": "{"}, {"synth": json.dumps({"backbone": {"type": "small"}})}],
)
def test_a_file_without_our_header_is_no_model_of_ours(tmp_path, header):
    path = tmp_path / "other.safetensors"
    safetensors.torch.save_file({"a": torch.zeros(1)}, path, header)

    with pytest.raises(WeightsError, match=r"no model that `synth train` wrote"):
        load_model(path)


def test_a_torn_file_is_refused(saved):
    path, _ = saved
    path.write_bytes(path.read_bytes()[:-100])

    with pytest.raises(WeightsError):
        load_model(path)


def test_tensors_of_another_backbone_are_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    save_model(path, Small(**(TINY | {"width": 3})).state_dict(), description())

    with pytest.raises(WeightsError, match="does not fit Small"):
        load_model(path)


def test_an_unknown_backbone_is_named(tmp_path):
    path = tmp_path / "model.safetensors"
    unknown = ModelDescription(ComponentSpec("backbone", "smal", {}), 8, "mine", {})
    save_model(path, Small(**TINY).state_dict(), unknown)

    with pytest.raises(WeightsError, match=r"its backbone cannot be built: no backbone named 'smal'"):
        load_model(path)
