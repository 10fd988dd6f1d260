import pytest
import torch
from torch import nn

from synth.networks.prelu import ChannelPReLU

SLOPES = torch.tensor([0.25, -0.5, 0.0, 1.5])


def both():
    """Returns torch's module and ours with the same slopes."""
    theirs, ours = nn.PReLU(4), ChannelPReLU(4)
    for module in (theirs, ours):
        module.load_state_dict({"weight": SLOPES})
    return theirs, ours


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_values_and_gradients_are_those_of_torch(layout):
    maps = torch.randn(3, 4, 5, 6, generator=torch.Generator().manual_seed(0)).contiguous(memory_format=layout)
    towards = torch.randn(3, 4, 5, 6, generator=torch.Generator().manual_seed(1))
    found = []
    for module in both():
        hidden = maps.clone().requires_grad_()
        out = module(hidden)
        (out * towards).sum().backward()
        found.append((out, hidden.grad, module.weight.grad))

    for theirs, ours in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_the_written_out_gradient_is_that_of_the_function():
    module = both()[1].double()
    hidden = torch.randn(2, 4, 3, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)

    assert torch.autograd.gradcheck(module, hidden.requires_grad_())
    assert torch.autograd.gradcheck(
        lambda slopes: torch.func.functional_call(module, {"weight": slopes}, hidden.detach()),
        SLOPES.double().requires_grad_(),
    )


def test_it_computes_in_the_precision_of_its_input():
    out = both()[1](torch.ones(1, 4, 2, 2, dtype=torch.bfloat16))

    assert out.dtype == torch.bfloat16
