import json
import os
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch.nn import functional  # noqa: E402

from synth.errors import WeightsError  # noqa: E402
from synth.networks.instance_norm import InstanceBatchNorm  # noqa: E402
from synth.networks.iresnet import DEPTHS, IResNet, iresnet_for, load_iresnet  # noqa: E402
from tests.synth.recognisers.iresnet_checkpoint import write_iresnet  # noqa: E402

LISTINGS = Path(os.environ.get("SYNTH_SHARED", Path(__file__).parents[4] / "shared")) / "research/statedict"


def random_faces(count=2):
    return torch.rand(count, 3, 112, 112, generator=torch.Generator().manual_seed(7)) * 2 - 1


@pytest.mark.skipif(not LISTINGS.is_dir(), reason=f"no listings of published checkpoints at {LISTINGS}")
@pytest.mark.parametrize("listing", ["iresnet100", "elasticface_iresnet100"])
def test_the_published_checkpoints_fit_exactly(listing):
    published = {
        name: (tuple(entry["shape"]), entry["dtype"])
        for name, entry in json.loads((LISTINGS / f"{listing}.json").read_text())["keys"].items()
    }
    with torch.device("meta"):
        network = iresnet_for({name: torch.empty(shape) for name, (shape, _) in published.items()})

    ours = {
        name: (tuple(value.shape), str(value.dtype).removeprefix("torch."))
        for name, value in network.state_dict().items()
    }
    assert ours == published


@pytest.mark.parametrize("name", DEPTHS)
def test_each_published_depth_is_recognised_from_its_tensors(name):
    with torch.device("meta"):
        network = IResNet(DEPTHS[name])
        again = iresnet_for(network.state_dict())

    layers = 198 if name == "iresnet200" else int(name.removeprefix("iresnet"))  # its authors rounded up
    convolutions = sum(
        isinstance(module, torch.nn.Conv2d) and module.kernel_size == (3, 3) for module in again.modules()
    )
    assert convolutions + 1 == layers  # the last one is `fc`
    shapes = {key: value.shape for key, value in network.state_dict().items()}
    assert {key: value.shape for key, value in again.state_dict().items()} == shapes


@pytest.mark.parametrize(
    ("name", "parameters", "tensors"),
    [
        ("iresnet18", 24_025_600, 187),
        ("iresnet34", 34_139_328, 331),
        ("iresnet50", 43_590_848, 475),
        ("iresnet100", 65_156_160, 925),
    ],
)
def test_each_published_depth_has_its_count_of_parameters(name, parameters, tensors):
    with torch.device("meta"):
        network = IResNet(DEPTHS[name])

    assert sum(parameter.numel() for parameter in network.parameters()) == parameters
    assert len(network.state_dict()) == tensors


@pytest.mark.parametrize("name", ["tiny.pth", "tiny.safetensors"])
def test_a_loaded_network_computes_what_was_written(tmp_path, name):
    written = write_iresnet(tmp_path / name)

    loaded = load_iresnet(tmp_path / name)

    assert not loaded.training
    with torch.inference_mode():
        assert torch.equal(loaded(random_faces()), written(random_faces()))


def test_blocks_compute_what_the_paper_says(tmp_path):
    network = write_iresnet(tmp_path / "tiny.pth")
    tensors = network.state_dict()

    def normalised(x, name):
        mean, var, weight, bias = (
            tensors[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
        )
        shape = (1, -1, *[1] * (x.ndim - 2))
        return (x - mean.view(shape)) / (var.view(shape) + 1e-5).sqrt() * weight.view(shape) + bias.view(shape)

    def rectified(x, name):
        return torch.where(x > 0, x, x * tensors[f"{name}.weight"].view(1, -1, 1, 1))

    x = functional.conv2d(random_faces(), tensors["conv1.weight"], padding=1)
    x = rectified(normalised(x, "bn1"), "prelu")
    for block in ("layer1.0", "layer2.0", "layer2.1", "layer3.0", "layer4.0"):
        stride = 2 if block.endswith("0") else 1
        inside = functional.conv2d(normalised(x, f"{block}.bn1"), tensors[f"{block}.conv1.weight"], padding=1)
        inside = rectified(normalised(inside, f"{block}.bn2"), f"{block}.prelu")
        inside = functional.conv2d(inside, tensors[f"{block}.conv2.weight"], padding=1, stride=stride)
        if stride == 2:
            x = functional.conv2d(x, tensors[f"{block}.downsample.0.weight"], stride=2)
            x = normalised(x, f"{block}.downsample.1")
        x = normalised(inside, f"{block}.bn3") + x
    x = normalised(x, "bn2").reshape(len(x), -1) @ tensors["fc.weight"].T + tensors["fc.bias"]
    expected = normalised(x, "features")

    with torch.inference_mode():
        found = network(random_faces())

    assert found.shape == (2, 512)
    assert (found - expected).abs().max() < 1e-5 * expected.abs().max()


def test_in_half_precision_the_last_layers_stay_in_float32(tmp_path):
    network = write_iresnet(tmp_path / "tiny.pth")
    with torch.inference_mode():
        exact = network(random_faces())
        network.set_precision(torch.bfloat16)
        rough = network(random_faces().to(torch.bfloat16))

    assert network.conv1.weight.dtype == torch.bfloat16
    assert rough.dtype == torch.float32
    assert functional.cosine_similarity(exact, rough).min() > 0.999


def test_checkpoints_of_other_networks_are_refused(tmp_path):
    tensors = write_iresnet(tmp_path / "tiny.pth").state_dict()

    torch.save({"body.0.weight": torch.ones(3)}, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match=r"other\.pth: no iResNet checkpoint, it has no conv1\.weight"):
        load_iresnet(tmp_path / "other.pth")

    torch.save({name: value for name, value in tensors.items() if name != "layer2.1.bn3.bias"}, tmp_path / "less.pth")
    with pytest.raises(WeightsError, match=r"1 missing: layer2\.1\.bn3\.bias"):
        load_iresnet(tmp_path / "less.pth")

    torch.save(tensors | {"layer1.0.se.weight": torch.ones(3)}, tmp_path / "more.pth")
    with pytest.raises(WeightsError, match=r"1 unknown: layer1\.0\.se\.weight"):
        load_iresnet(tmp_path / "more.pth")

    torch.save(tensors | {"bn2.bias": torch.ones(3)}, tmp_path / "misshapen.pth")
    with pytest.raises(WeightsError, match=r"bn2\.bias \(3,\) instead of \(16,\)"):
        load_iresnet(tmp_path / "misshapen.pth")


def test_instance_norms_replace_the_inner_normalisations_of_the_first_stages_only():
    network = IResNet((1, 2, 1, 1), (4, 4, 8, 8), stem=4, embedding_size=8, instance_norms=2)

    kinds = {name: type(module) for name, module in network.named_modules() if name.endswith(".bn2")}
    assert [name for name, kind in kinds.items() if kind is InstanceBatchNorm] == [
        "layer1.0.bn2",
        "layer2.0.bn2",
        "layer2.1.bn2",
    ]
    assert network.eval()(torch.zeros(1, 3, 112, 112)).shape == (1, 8)
