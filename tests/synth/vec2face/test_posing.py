import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from PIL import Image  # noqa: E402

from synth.errors import WeightsError  # noqa: E402
from synth.networks.vec2face_pose import PoseCondition  # noqa: E402
from synth.vec2face.options import Poses  # noqa: E402
from synth.vec2face.posing import PoseAsker, read_pictures  # noqa: E402

SEEDS = np.arange(64, dtype=np.uint64)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def network():
    network = PoseCondition((4, 4, 4, 4), 16)
    random = torch.Generator().manual_seed(6)
    with torch.no_grad():
        for value in network.parameters():
            value.normal_(std=0.2, generator=random)
    return network


def test_turns_fill_their_limits_and_follow_from_the_seed(network):
    asker = PoseAsker(Poses(yaw_degrees=(-40.0, 20.0), pitch_degrees=(5.0, 5.0)), network, CPU)

    asked = asker.ask(SEEDS, 3)
    apart = asker.ask(SEEDS[10:11], 3)

    assert asked.tokens.shape == (64, 1, 16)
    assert -40 <= asked.yaw.min() < -35
    assert 15 < asked.yaw.max() <= 20
    assert (asked.pitch == 5).all()
    assert apart.yaw == asked.yaw[10]
    assert torch.equal(apart.tokens[0], asked.tokens[10])
    assert (asker.ask(SEEDS, 4).yaw != asked.yaw).any()


def test_each_picture_is_taken_by_some_seed(network, tmp_path):
    for number in range(3):
        Image.fromarray(np.full((112, 112, 3), 80 * number, np.uint8)).save(tmp_path / f"{number}.png")

    asked = PoseAsker(Poses(pictures=str(tmp_path)), network, CPU).ask(SEEDS, 3)

    tokens = {tuple(token) for token in asked.tokens[:, 0].round(decimals=3).tolist()}
    assert len(tokens) == 3
    assert not asked.yaw.any()


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: Image.new("RGB", (64, 112)).save(path), "64x112"),
        (lambda path: path.write_bytes(b"no picture"), "no picture"),
    ],
)
def test_pictures_that_are_none_are_named(tmp_path, write, message):
    write(tmp_path / "a.png")

    with pytest.raises(WeightsError, match=message):
        read_pictures(tmp_path)
