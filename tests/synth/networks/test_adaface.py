import json
import os
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch.nn import functional  # noqa: E402

from synth.networks.adaface import AdaFace, adaface_for  # noqa: E402
from tests.synth.recognisers.iresnet_checkpoint import randomise  # noqa: E402

LISTINGS = Path(os.environ.get("SYNTH_SHARED", Path(__file__).parents[4] / "shared")) / "research/statedict"


@pytest.mark.skipif(not LISTINGS.is_dir(), reason=f"no listings of published checkpoints at {LISTINGS}")
@pytest.mark.parametrize(("listing", "blocks"), [("adaface_ir50", 24), ("adaface_ir101", 49)])
def test_the_published_checkpoints_fit_exactly(listing, blocks):
    published = {
        name: (tuple(entry["shape"]), entry["dtype"])
        for name, entry in json.loads((LISTINGS / f"{listing}.json").read_text())["keys"].items()
    }
    with torch.device("meta"):
        network = adaface_for({name: torch.empty(shape) for name, (shape, _) in published.items()})

    ours = {
        name: (tuple(value.shape), str(value.dtype).removeprefix("torch."))
        for name, value in network.state_dict().items()
    }
    assert ours == published
    assert len(network.body) == blocks


def test_blocks_compute_what_the_paper_says():
    network = AdaFace((1, 2, 1, 1), (8, 12, 16, 20))
    randomise(network, 0)
    network.eval()
    tensors = network.state_dict()
    faces = torch.rand(2, 3, 112, 112, generator=torch.Generator().manual_seed(7)) * 2 - 1

    def normalised(x, name):
        shape = (1, -1, *[1] * (x.ndim - 2))
        mean, var = tensors[f"{name}.running_mean"], tensors[f"{name}.running_var"]
        x = (x - mean.view(shape)) / (var.view(shape) + 1e-5).sqrt()
        if f"{name}.weight" in tensors:
            x = x * tensors[f"{name}.weight"].view(shape) + tensors[f"{name}.bias"].view(shape)
        return x

    def rectified(x, name):
        return torch.where(x > 0, x, x * tensors[f"{name}.weight"].view(1, -1, 1, 1))

    x = functional.conv2d(faces, tensors["input_layer.0.weight"], padding=1)
    x = rectified(normalised(x, "input_layer.1"), "input_layer.2")
    for block, stride in enumerate((2, 2, 1, 2, 2)):
        name = f"body.{block}.res_layer"
        inside = functional.conv2d(normalised(x, f"{name}.0"), tensors[f"{name}.1.weight"], padding=1)
        inside = rectified(normalised(inside, f"{name}.2"), f"{name}.3")
        inside = functional.conv2d(inside, tensors[f"{name}.4.weight"], padding=1, stride=stride)
        x = x[:, :, ::stride, ::stride]
        shortcut = f"body.{block}.shortcut_layer"
        if f"{shortcut}.0.weight" in tensors:
            x = normalised(functional.conv2d(x, tensors[f"{shortcut}.0.weight"]), f"{shortcut}.1")
        x = x + normalised(inside, f"{name}.5")
    x = normalised(x, "output_layer.0").reshape(2, -1)
    expected = normalised(x @ tensors["output_layer.3.weight"].T + tensors["output_layer.3.bias"], "output_layer.4")

    with torch.inference_mode():
        found = network(faces)

    assert (found - expected).abs().max() < 1e-5 * expected.abs().max()


def test_tensors_of_another_network_are_refused():
    with pytest.raises(ValueError, match="it has 0 stages of blocks instead of 4"):
        adaface_for({"input_layer.0.weight": torch.zeros(64, 3, 3, 3)})
