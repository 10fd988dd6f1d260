import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch.nn import functional  # noqa: E402

from synth.networks.mobilefacenet import MobileFaceNet  # noqa: E402
from tests.synth.recognisers.iresnet_checkpoint import randomise  # noqa: E402


def test_tensors_have_the_names_and_shapes_of_arcface_torch():
    with torch.device("meta"):
        tensors = {name: tuple(value.shape) for name, value in MobileFaceNet().state_dict().items()}

    assert tensors["layers.0.layers.0.weight"] == (128, 3, 3, 3)
    assert tensors["layers.0.layers.2.weight"] == (128,)
    assert tensors["layers.1.layers.0.weight"] == (128, 2, 3, 3)  # 64 groups of 128 channels
    assert tensors["layers.2.layers.1.layers.0.weight"] == (128, 1, 3, 3)
    assert tensors["layers.3.layers.3.layers.2.layers.0.weight"] == (128, 128, 1, 1)
    assert tensors["layers.4.layers.2.layers.0.weight"] == (256, 256, 1, 1)
    assert tensors["layers.5.layers.5.layers.1.layers.1.running_mean"] == (256,)
    assert tensors["layers.6.layers.0.layers.0.weight"] == (512, 256, 1, 1)
    assert tensors["layers.7.layers.1.layers.0.layers.0.weight"] == (256, 256, 1, 1)
    assert tensors["conv_sep.layers.0.weight"] == (512, 256, 1, 1)
    assert tensors["features.layers.0.layers.0.weight"] == (512, 1, 7, 7)
    assert tensors["features.layers.2.weight"] == (512, 512)
    assert tensors["features.layers.3.running_var"] == (512,)


def test_layers_compute_what_their_tensors_say():
    network = MobileFaceNet(1, embedding_size=8).eval()
    randomise(network, 0)
    tensors = network.state_dict()
    faces = torch.rand(2, 3, 112, 112, generator=torch.Generator().manual_seed(7)) * 2 - 1

    def normalised(x, name):
        mean, var, weight, bias = (
            tensors[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
        )
        return functional.batch_norm(x, mean, var, weight, bias)

    def convolved(x, name, *, rectified=True, **options):
        x = normalised(functional.conv2d(x, tensors[f"{name}.layers.0.weight"], **options), f"{name}.layers.1")
        return functional.prelu(x, tensors[f"{name}.layers.2.weight"]) if rectified else x

    def block(x, name, stride=1):
        x = convolved(x, f"{name}.layers.0")
        x = convolved(x, f"{name}.layers.1", stride=stride, padding=1, groups=x.shape[1])
        return convolved(x, f"{name}.layers.2", rectified=False)

    x = convolved(faces, "layers.0", stride=2, padding=1)
    x = convolved(x, "layers.1", padding=1, groups=64)
    for place, added in ((2, 4), (4, 6), (6, 2)):
        x = block(x, f"layers.{place}", stride=2)
        for number in range(added):
            x = x + block(x, f"layers.{place + 1}.layers.{number}")
    x = convolved(x, "conv_sep")
    assert x.shape == (2, 512, 7, 7)
    x = convolved(x, "features.layers.0", rectified=False, groups=512).flatten(1)
    expected = normalised(x @ tensors["features.layers.2.weight"].T, "features.layers.3")

    with torch.inference_mode():
        found = network(faces)

    assert (found - expected).abs().max() < 1e-4 * expected.abs().max()
