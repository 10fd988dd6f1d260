import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch import nn  # noqa: E402

from synth.networks.instance_norm import InstanceBatchNorm  # noqa: E402


def test_the_first_half_forgets_brightness_and_contrast_of_each_image():
    torch.manual_seed(0)
    norm = InstanceBatchNorm(5).eval()
    maps = torch.randn(3, 5, 6, 6)

    plain, changed = norm(maps), norm(3 * maps + 2)

    assert torch.allclose(plain[:, :2], changed[:, :2], atol=1e-3)
    assert not torch.allclose(plain[:, 2:], changed[:, 2:], atol=1e-3)


class _Halves(nn.Module):
    """The same of torch's own normalisations, for five channels."""

    def __init__(self, norm):
        super().__init__()
        self.first, self.second = nn.InstanceNorm2d(2, affine=True), nn.BatchNorm2d(3)
        with torch.no_grad():
            for half, part in ((self.first, slice(0, 2)), (self.second, slice(2, 5))):
                half.weight.copy_(norm.weight[part])
                half.bias.copy_(norm.bias[part])

    def forward(self, maps):
        return torch.cat([self.first(maps[:, :2]), self.second(maps[:, 2:])], dim=1)


@pytest.fixture
def norms():
    torch.manual_seed(0)
    norm = InstanceBatchNorm(5)
    nn.init.uniform_(norm.weight, 0.5, 2)
    nn.init.uniform_(norm.bias, -1, 1)
    return norm, _Halves(norm)


def test_the_halves_are_torch_s_instance_and_batch_normalisation(norms):
    norm, halves = norms
    for _ in range(3):
        maps = torch.randn(8, 5, 6, 7) * 5 + 20
        assert torch.allclose(norm(maps), halves(maps), atol=1e-5)

    norm.eval()
    halves.eval()

    assert torch.allclose(norm.running_mean, halves.second.running_mean, rtol=1e-5)
    assert torch.allclose(norm.running_variance, halves.second.running_var, rtol=1e-5)
    assert torch.allclose(norm(maps), halves(maps), atol=1e-5)


def test_gradients_are_torch_s(norms):
    norm, halves = norms
    maps, direction = torch.randn(8, 5, 6, 7) + 2, torch.randn(8, 5, 6, 7)
    found = []
    for module in norms:
        start = maps.clone().requires_grad_()
        (module(start) * direction).sum().backward()
        found.append(start.grad)

    assert torch.allclose(*found, atol=1e-5)
    assert torch.allclose(norm.weight.grad, torch.cat([halves.first.weight.grad, halves.second.weight.grad]), atol=1e-4)
    assert torch.allclose(norm.bias.grad, torch.cat([halves.first.bias.grad, halves.second.bias.grad]), atol=1e-4)


def test_half_precision_stays_and_is_summed_in_float32():
    torch.manual_seed(0)
    maps = (torch.randn(4, 4, 32, 32) + 8).bfloat16()

    found = InstanceBatchNorm(4)(maps)

    assert found.dtype == torch.bfloat16
    assert torch.allclose(found.float(), InstanceBatchNorm(4)(maps.float()), atol=0.02)


def test_the_memory_layout_stays():
    maps = torch.randn(2, 4, 5, 5).contiguous(memory_format=torch.channels_last)

    assert InstanceBatchNorm(4)(maps).is_contiguous(memory_format=torch.channels_last)
