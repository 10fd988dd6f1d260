import torch
from torch import nn

from synth.training.average import RunningMean


def test_a_share_of_nothing_follows_the_model():
    model = nn.Linear(3, 2)
    mean = RunningMean(model, 0.0)
    with torch.no_grad():
        model.weight.add_(1.0)

    mean.update(model, 5)

    assert torch.equal(mean.tensors["weight"], model.weight)


def test_the_mean_is_the_exponential_one_after_its_start():
    model = nn.Linear(1, 1, bias=False)
    mean = RunningMean(model, 0.5)
    values = [float(model.weight.detach())]
    expected = values[0]
    for step in range(6):
        with torch.no_grad():
            model.weight.fill_(float(step))
        mean.update(model, step)
        share = min(0.5, (1 + step) / (10 + step))
        expected = share * expected + (1 - share) * step

    assert torch.allclose(mean.tensors["weight"], torch.tensor(expected))


def test_counters_are_copied_not_averaged():
    model = nn.BatchNorm1d(2)
    mean = RunningMean(model, 0.9)
    for step in range(3):
        model(torch.randn(4, 2))
        mean.update(model, step)

    assert int(mean.tensors["num_batches_tracked"]) == 3
