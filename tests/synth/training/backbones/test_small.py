import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from synth.training.backbones.small import Small  # noqa: E402
from synth.training.heads.arcface import ArcFace  # noqa: E402


def test_sides_halve_four_times():
    network = Small(width=4)

    assert network.maps(torch.zeros(2, 3, 56, 56)).shape == (2, 16, 4, 4)


@pytest.mark.parametrize("input_size", [16, 56, 57, 112])
def test_any_side_from_16_px_does(input_size):
    network = Small(width=2, input_size=input_size, embedding_size=6)

    assert network(torch.zeros(2, 3, input_size, input_size)).shape == (2, 6)


@pytest.mark.parametrize("instance_norms", [1, 4, 7])
def test_the_first_convolutions_may_forget_an_image_s_own_look(instance_norms):
    network = Small(width=2, input_size=32, instance_norms=instance_norms)

    kinds = [type(module).__name__ for module in network.modules()]

    assert kinds.count("InstanceBatchNorm") == instance_norms
    assert network(torch.randn(2, 3, 32, 32)).shape == (2, 128)


def test_a_fresh_network_passes_signals_on_at_their_size():
    torch.manual_seed(0)
    network = Small()
    faces = torch.randn(64, 3, 56, 56)

    with torch.no_grad():
        maps, embeddings = network.maps(faces), network(faces)

    assert 0.5 < maps.std() < 2
    assert float(embeddings.norm(dim=1).mean()) == pytest.approx(128**0.5, rel=0.05)


def test_it_learns_to_tell_patterns_apart():
    torch.manual_seed(0)
    labels = torch.arange(4).repeat(6)
    faces = 0.5 * torch.randn(4, 3, 32, 32)[labels] + torch.randn(24, 3, 32, 32)
    network, head = Small(width=4, input_size=32, embedding_size=8), ArcFace(4, 8, scale=16)
    optimiser = torch.optim.SGD([*network.parameters(), *head.parameters()], lr=0.05, momentum=0.9)

    rates = []
    for _ in range(30):
        result = head(network(faces), labels)
        optimiser.zero_grad()
        result.loss.backward()
        optimiser.step()
        rates.append(float(result.hits.float().mean()))

    assert rates[0] < 0.5
    assert rates[-1] > 0.95


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 0}, "width 0, embedding_size 128: expected at least 1"),
        ({"embedding_size": 0}, "width 32, embedding_size 0: expected at least 1"),
        ({"instance_norms": 8}, "instance_norms 8: expected 0 to 7"),
        ({"instance_norms": 1, "width": 1}, "instance_norms 1: expected 0 to 7, of a width of at least 2"),
        ({"input_size": 15}, "input_size 15: expected at least 16 px"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Small(**options)
