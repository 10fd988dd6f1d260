import torch

from synth.networks.instance_norm import InstanceBatchNorm


def test_the_first_half_forgets_brightness_and_contrast_of_each_image():
    torch.manual_seed(0)
    norm = InstanceBatchNorm(5).eval()
    maps = torch.randn(3, 5, 6, 6)

    plain, changed = norm(maps), norm(3 * maps + 2)

    assert torch.allclose(plain[:, :2], changed[:, :2], atol=1e-3)
    assert not torch.allclose(plain[:, 2:], changed[:, 2:], atol=1e-3)


def test_the_other_half_is_batch_normalisation():
    torch.manual_seed(0)
    norm = InstanceBatchNorm(4)
    maps = torch.randn(8, 4, 6, 6) * 5 + 1

    found = norm(maps)

    assert torch.allclose(found[:, 2:], torch.nn.BatchNorm2d(2)(maps[:, 2:]), atol=1e-6)
