import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from safetensors.torch import save_file  # noqa: E402

from synth.networks.face_embedders import load_face_embedder  # noqa: E402
from synth.training.backbones.iresnet import Iresnet  # noqa: E402
from synth.training.heads.cosface import CosFace  # noqa: E402

FACES = torch.rand(4, 3, 112, 112, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_by_default_it_is_the_published_network_of_18_layers():
    network = Iresnet()

    assert sum(parameter.numel() for parameter in network.parameters()) == 24_025_600
    assert len(network.state_dict()) == 187


def test_what_was_trained_is_what_recognisers_read(tmp_path):
    torch.manual_seed(0)
    network = Iresnet(width=2, dropout=0.4)
    head = CosFace(2, 512)
    optimiser = torch.optim.SGD([*network.parameters(), *head.parameters()], lr=0.1)
    for _ in range(2):
        head(network(FACES), torch.tensor([0, 1, 0, 1])).loss.backward()
        optimiser.step()
    save_file(network.state_dict(), tmp_path / "backbone.safetensors")

    loaded = load_face_embedder(tmp_path / "backbone.safetensors")

    assert not loaded.training
    with torch.inference_mode():
        assert torch.equal(loaded(FACES), network.eval()(FACES))


def test_the_factors_of_the_last_normalisation_do_not_learn():
    network = Iresnet(width=2)

    fixed = [name for name, parameter in network.named_parameters() if not parameter.requires_grad]

    assert fixed == ["features.weight"]
    assert (network.features.weight == 1).all()


def test_convolutions_start_with_a_standard_deviation_of_a_tenth():
    torch.manual_seed(0)
    network = Iresnet(width=16)

    deviations = [float(weight.std()) for weight in network.state_dict().values() if weight.ndim == 4]

    assert deviations == pytest.approx([0.1] * 21, rel=0.15)


def test_training_drops_numbers_and_evaluation_does_not():
    torch.manual_seed(0)
    network = Iresnet(width=2, dropout=0.4, embedding_size=8)
    seen = []
    network.dropout.register_forward_hook(lambda module, arguments, kept: seen.append((arguments[0], kept)))

    with torch.no_grad():
        network(FACES)
        network.eval()(FACES)

    dropped, whole = ((given != kept).float().mean() for given, kept in seen)
    assert float(dropped) == pytest.approx(1.0)  # what is kept is made larger in turn
    assert float((seen[0][1] == 0).float().mean()) == pytest.approx(0.4, abs=0.05)
    assert float(whole) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depth": 20}, "depth 20: expected one of 18, 34, 50, 100, 200"),
        ({"width": 0}, "width 0, embedding_size 512: expected at least 1"),
        ({"dropout": 1.5}, r"dropout 1\.5: expected 0 to 1"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Iresnet(**options)
