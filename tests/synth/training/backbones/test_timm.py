import sys

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from synth.components import ComponentSpec, build  # noqa: E402
from synth.errors import ComponentError  # noqa: E402
from tests.contracts.test_backbones import HAS_TIMM, NO_TIMM  # noqa: E402


def timm_backbone(**options):
    return build(ComponentSpec("backbone", "timm", options))


@pytest.mark.skipif(HAS_TIMM, reason="timm is installed")
def test_where_timm_is_missing_the_command_that_installs_it_is_named():
    with pytest.raises(ComponentError, match=r"needs (timm, )?(torchvision)?.*pip install 'synth\[timm\]'"):
        timm_backbone(name="resnet18")


def test_where_timm_cannot_be_imported_the_reason_is_named(tmp_path, monkeypatch):
    broken = "raise RuntimeError('operator torchvision::nms does not exist')"
    for package, source in {"timm": "import torchvision", "torchvision": broken}.items():
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text(source)
        monkeypatch.delitem(sys.modules, package, raising=False)
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(ComponentError, match="timm cannot be imported: operator torchvision::nms does not exist"):
        timm_backbone(name="resnet18")


@pytest.mark.parametrize("options", [{"input_size": 0}, {"embedding_size": 0}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ComponentError, match="expected at least 1"):
        timm_backbone(name="resnet18", **options)


@NO_TIMM
def test_unknown_names_are_refused_with_those_near_them():
    with pytest.raises(ComponentError, match=r"name 'resnte18': timm has no such model; near it are \['resnet18'"):
        timm_backbone(name="resnte18")


@NO_TIMM
def test_models_for_one_size_of_image_are_made_for_the_input_size():
    network = timm_backbone(name="vit_tiny_patch16_224", input_size=64, embedding_size=16)

    assert network(torch.zeros(2, 3, 64, 64)).shape == (2, 16)


@NO_TIMM
@pytest.mark.parametrize(("name", "size"), [("vit_tiny_patch16_224", 10), ("mvitv2_tiny", 112)])
def test_sizes_that_a_model_cannot_take_are_refused_before_training(name, size):
    with pytest.raises(ComponentError, match=f"backbone timm: name '{name}', input_size {size}: does not work: "):
        timm_backbone(name=name, input_size=size)
