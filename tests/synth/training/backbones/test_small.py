import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from synth.training.backbones.small import Small  # noqa: E402


def test_sides_halve_four_times():
    network = Small(width=4)

    assert network.maps(torch.zeros(2, 3, 56, 56)).shape == (2, 16, 4, 4)


@pytest.mark.parametrize("input_size", [16, 56, 57, 112])
def test_any_side_from_16_px_does(input_size):
    network = Small(width=2, input_size=input_size, embedding_size=6)

    assert network(torch.zeros(2, 3, input_size, input_size)).shape == (2, 6)


def test_a_fresh_network_passes_signals_on_at_their_size():
    torch.manual_seed(0)
    network = Small()
    faces = torch.randn(64, 3, 56, 56)

    with torch.no_grad():
        maps, embeddings = network.maps(faces), network(faces)

    assert 0.5 < maps.std() < 2
    assert float(embeddings.norm(dim=1).mean()) == pytest.approx(128**0.5, rel=0.05)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 0}, "width 0, embedding_size 128: expected at least 1"),
        ({"embedding_size": 0}, "width 32, embedding_size 0: expected at least 1"),
        ({"input_size": 15}, "input_size 15: expected at least 16 px"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Small(**options)
