import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from synth.training.backbones.mobilefacenet import Mobilefacenet  # noqa: E402


def test_it_has_as_many_parameters_as_the_published_network():
    network = Mobilefacenet()

    assert sum(parameter.numel() for parameter in network.parameters()) == 2_059_520
    assert len(network.state_dict()) == 333


def test_convolutions_start_as_their_outputs_ask_for():
    torch.manual_seed(0)

    tensors = Mobilefacenet().state_dict()

    first, last = tensors["layers.0.layers.0.weight"], tensors["features.layers.2.weight"]
    assert float(first.std()) == pytest.approx((2 / (128 * 9)) ** 0.5, rel=0.05)
    assert float(last.std()) == pytest.approx((2 / 512) ** 0.5, rel=0.05)


@pytest.mark.parametrize("options", [{"scale": 0}, {"embedding_size": 0}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match="expected at least 1"):
        Mobilefacenet(**options)
