from pathlib import Path

import pytest
import torch
from torch import nn

from synth.arc2face.lora import merge_lora
from synth.errors import WeightsError

PATH = Path("lora.safetensors")


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = nn.ModuleDict({"to_q": nn.Linear(6, 8, bias=False), "conv_in": nn.Conv2d(8, 5, 3, padding=1)})

    def forward(self, values):
        return self.block["conv_in"](self.block["to_q"](values).permute(0, 3, 1, 2))


def lora(rank=2, alpha=3.0):
    draws = torch.Generator().manual_seed(3)
    linear, conv = "lora_unet_block_to_q", "lora_unet_block_conv_in"
    return {
        f"{linear}.lora_down.weight": torch.randn(rank, 6, generator=draws),
        f"{linear}.lora_up.weight": torch.randn(8, rank, generator=draws),
        f"{linear}.alpha": torch.tensor(alpha),
        f"{conv}.lora_down.weight": torch.randn(rank, 8, 3, 3, generator=draws),
        f"{conv}.lora_up.weight": torch.randn(5, rank, 1, 1, generator=draws),
        f"{conv}.alpha": torch.tensor(alpha),
    }


@pytest.fixture
def network():
    torch.manual_seed(1)
    return Network()


def test_merging_equals_applying_the_lora_beside_the_network(network):
    values, tensors = torch.linspace(-1, 1, 2 * 4 * 4 * 6).view(2, 4, 4, 6), lora()
    scale = 3.0 / 2
    down, up = (tensors[f"lora_unet_block_to_q.lora_{part}.weight"] for part in ("down", "up"))
    with torch.no_grad():
        hidden = (network.block["to_q"](values) + scale * (values @ down.T @ up.T)).permute(0, 3, 1, 2)
        down, up = (tensors[f"lora_unet_block_conv_in.lora_{part}.weight"] for part in ("down", "up"))
        low_rank = nn.functional.conv2d(nn.functional.conv2d(hidden, down, padding=1), up)
        expected = network.block["conv_in"](hidden) + scale * low_rank

        merge_lora(network, tensors, PATH)

        assert torch.allclose(network(values), expected, rtol=1e-5, atol=1e-4)


def test_without_alpha_the_factors_count_once(network):
    tensors = {name: value for name, value in lora().items() if not name.endswith("alpha")}
    other = Network()
    other.load_state_dict(network.state_dict())

    merge_lora(network, tensors, PATH)
    merge_lora(other, lora(alpha=2.0), PATH)

    assert torch.equal(network.block["to_q"].weight, other.block["to_q"].weight)


def test_half_precision_weights_are_rounded_once(network):
    half = Network().to(torch.bfloat16)
    half.load_state_dict(network.state_dict())
    start = half.block["to_q"].weight.float()
    tensors = lora()
    delta = tensors["lora_unet_block_to_q.lora_up.weight"] @ tensors["lora_unet_block_to_q.lora_down.weight"] * 1.5

    merge_lora(half, tensors, PATH)

    assert torch.equal(half.block["to_q"].weight, (start + delta).to(torch.bfloat16))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("lora_unet_block_to_k.lora_up.weight", torch.zeros(8, 2), "has lora_unet_block_to_k.lora_up.weight, unknown"),
        ("lora_te_text_model_fc1.alpha", torch.tensor(1.0), "unknown to the network"),
        ("lora_unet_block_to_q.lora_mid.weight", torch.zeros(1), "unknown to the network"),
        ("lora_unet_block_to_q.lora_up.weight", None, "lacks lora_unet_block_to_q.lora_up.weight"),
        ("lora_unet_block_to_q.lora_up.weight", torch.zeros(7, 2), "does not fit a weight of shape"),
        ("lora_unet_block_conv_in.lora_down.weight", torch.zeros(3, 8, 3, 3), "does not fit a weight of shape"),
        ("lora_unet_block_conv_in.lora_down.weight", torch.zeros(2, 8, 1, 1), "does not fit a weight of shape"),
        ("lora_unet_block_to_q.alpha", torch.zeros(2), "does not fit"),
    ],
)
def test_a_lora_that_does_not_fit_is_refused_and_changes_nothing(network, name, value, message):
    before = {key: weight.clone() for key, weight in network.state_dict().items()}
    tensors = lora()
    if value is None:
        del tensors[name]
    else:
        tensors[name] = value

    with pytest.raises(WeightsError, match=message):
        merge_lora(network, tensors, PATH)
    assert all(torch.equal(weight, before[key]) for key, weight in network.state_dict().items())
