import json
import math
import os
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from synth.errors import WeightsError  # noqa: E402
from synth.networks.sixdrepnet import load_sixdrepnet, sixdrepnet_for, yaw_degrees  # noqa: E402
from tests.synth.networks.sixdrepnet_checkpoint import write_sixdrepnet  # noqa: E402

LISTINGS = Path(os.environ.get("SYNTH_SHARED", Path(__file__).parents[4] / "shared")) / "research/statedict"


def turned(yaw, pitch=0.0, roll=0.0):
    """Returns Rz(roll) Ry(yaw) Rx(pitch), degrees."""
    (cx, sx), (cy, sy), (cz, sz) = ((math.cos(math.radians(a)), math.sin(math.radians(a))) for a in (pitch, yaw, roll))
    around_x = torch.tensor([[1.0, 0, 0], [0, cx, -sx], [0, sx, cx]])
    around_y = torch.tensor([[cy, 0, sy], [0, 1.0, 0], [-sy, 0, cy]])
    around_z = torch.tensor([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1.0]])
    return around_z @ around_y @ around_x


@pytest.mark.skipif(not LISTINGS.is_dir(), reason=f"no listings of published checkpoints at {LISTINGS}")
def test_the_published_checkpoint_fits_exactly():
    published = {
        name: tuple(entry["shape"])
        for name, entry in json.loads((LISTINGS / "sixdrepnet.json").read_text())["keys"].items()
    }

    with torch.device("meta"):
        network = sixdrepnet_for({name: torch.empty(shape) for name, shape in published.items()})

    assert {name: tuple(value.shape) for name, value in network.state_dict().items()} == published
    assert sum(module.groups == 2 for module in network.modules() if isinstance(module, torch.nn.Conv2d)) == 13


@pytest.mark.parametrize("yaw", [-89.0, -30.0, 0.0, 12.5, 60.0])
def test_yaw_is_read_from_a_rotation_whatever_pitch_and_roll(yaw):
    rotations = torch.stack([turned(yaw), turned(yaw, pitch=20, roll=-15)])

    assert yaw_degrees(rotations).tolist() == pytest.approx([yaw, yaw], abs=1e-3)


def test_a_profile_view_has_a_finite_slope():
    rotations = turned(90.0).unsqueeze(0).requires_grad_(True)

    yaw = yaw_degrees(rotations)
    yaw.sum().backward()

    assert yaw.item() == pytest.approx(90, abs=1e-3)
    assert torch.isfinite(rotations.grad).all()


def test_outputs_are_rotations_that_depend_on_the_face_alone(tmp_path):
    network = load_sixdrepnet(write_sixdrepnet(tmp_path / "pose.pth"))
    faces = torch.rand(3, 3, 112, 112, generator=torch.Generator().manual_seed(5))

    with torch.inference_mode():
        rotations = network(faces)
        alone = network(faces[1:2])

    products = rotations @ rotations.transpose(1, 2)
    assert torch.allclose(products, torch.eye(3).expand(3, 3, 3), atol=1e-5)
    assert torch.allclose(torch.linalg.det(rotations), torch.ones(3), atol=1e-5)
    assert torch.allclose(alone[0], rotations[1], atol=1e-5)
    assert (rotations[0] - rotations[1]).abs().max() > 1e-4


def test_the_first_three_numbers_are_the_first_axis_and_the_third_is_across_both(tmp_path):
    path = write_sixdrepnet(tmp_path / "pose.pth")
    tensors = torch.load(path, weights_only=True)
    tensors["linear_reg.weight"].zero_()
    tensors["linear_reg.bias"].copy_(torch.tensor([0.0, 2.0, 0.0, 0.5, 0.5, 0.0]))
    torch.save(tensors, path)

    with torch.inference_mode():
        rotation = load_sixdrepnet(path)(torch.zeros(1, 3, 112, 112))[0]

    assert rotation[:, 0].tolist() == [0, 1, 0]
    assert rotation[:, 2].tolist() == pytest.approx([0, 0, -1])
    assert rotation[:, 1].tolist() == pytest.approx([1, 0, 0])


@pytest.mark.parametrize("name", ["layer0.rbr_reparam.weight", "layer3.0.rbr_reparam.weight", "linear_reg.bias"])
def test_a_missing_tensor_is_named(tmp_path, name):
    path = write_sixdrepnet(tmp_path / "pose.pth")
    tensors = torch.load(path, weights_only=True)
    del tensors[name]
    torch.save(tensors, path)

    with pytest.raises(WeightsError, match=name):
        load_sixdrepnet(path)
