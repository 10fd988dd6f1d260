import re

import pytest

from pipelines.training.config import load_train_config
from synth.errors import ConfigError
from tests.pipelines.training.small_training import small_config, write_config
from tests.toy import ROOT


def refusal(tmp_path, *overrides):
    with pytest.raises(ConfigError) as caught:
        small_config(tmp_path, "data", *overrides)
    return str(caught.value)


def test_a_configuration_is_read_with_its_defaults(tmp_path):
    config = small_config(tmp_path, "data", "recipe.average=0.5")

    assert config.recipe.steps == 8
    assert config.recipe.average == 0.5
    assert config.augmentation.contrast == 0.3
    assert config.head_spec.options == {"scale": 16.0}


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("train_*.yaml")), ids=lambda path: path.name)
def test_the_published_configurations_are_right(path):
    assert load_train_config(path).recipe.steps > 0


@pytest.mark.parametrize("name", ["train_r18.yaml", "train_r50.yaml"])
def test_several_gpus_are_told_to_share_the_batch_of_one(name):
    path = ROOT / "configs" / name

    (command,) = re.findall(r"--num_processes (\d+) .*?--set recipe\.batch_size=(\d+)", path.read_text(), re.DOTALL)

    processes, batch_size = map(int, command)
    assert processes * batch_size == load_train_config(path).recipe.batch_size


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("recipe.steps=0", "recipe.steps: input should be greater than or equal to 1, got 0"),
        ("recipe.learning_rate=1e-3", "that is text, write 0.001"),
        ("recipe.step=3", "recipe.step: unknown key; did you mean 'steps'?"),
        ("augmentation.flp=1", "augmentation.flp: unknown key; did you mean 'flip'?"),
        ("augmentation.flip=2", "augmentation.flip: input should be less than or equal to 1, got 2"),
        ("head.type=cosfac", "head.type: no head named 'cosfac'"),
        ("head.margn=0.3", "head.margn: unknown option; did you mean 'margin'?"),
        ("head.num_labels=3", "head.num_labels: unknown option"),
        ("backbone.width=wide", "backbone.width: input should be a valid integer, got 'wide'"),
        ("data.held_out_identities=0", "data.held_out_identities: input should be greater than or equal to 1"),
        ("seed=-1", "seed: input should be greater than or equal to 0"),
    ],
)
def test_each_mistake_is_named_where_it_was_made(tmp_path, override, message):
    assert message in refusal(tmp_path, override)


@pytest.mark.parametrize("images", [None, 1])
def test_a_head_that_compares_images_wants_several_of_each_identity(tmp_path, images):
    overrides = ["head={type: triplet}"] + ([f"data.images_per_identity={images}"] if images else [])

    assert "data.images_per_identity: head triplet compares images of one identity" in refusal(tmp_path, *overrides)


def test_mistakes_of_components_show_beside_those_of_the_schema(tmp_path):
    found = refusal(tmp_path, "recipe.steps=0", "head.margn=1")

    assert "recipe.steps" in found
    assert "head.margn" in found


def test_a_mistake_in_the_file_has_its_line(tmp_path):
    path = write_config(tmp_path, "data")
    path.write_text(path.read_text().replace("type: small", "type: smal"))

    with pytest.raises(ConfigError, match=r"train\.yaml:3: backbone\.type: no backbone named 'smal'"):
        load_train_config(path)
