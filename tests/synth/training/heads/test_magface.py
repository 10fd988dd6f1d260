import math

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from synth.training.heads.magface import MagFace  # noqa: E402
from tests.synth.training.heads.judging import (  # noqa: E402
    LABELS,
    falls_with_the_cosine,
    gradients_are_exact,
    loss_at,
    with_axes,
)


@pytest.mark.parametrize(
    ("length", "kept", "margin"), [(10, 10, 0.45), (60, 60, 0.625), (110, 110, 0.8), (1, 10, 0.45), (500, 110, 0.8)]
)
def test_the_margin_grows_with_the_length_between_bounds(length, kept, margin):
    head = with_axes(MagFace(2, 3, scale=10, regulariser=35))

    classified = math.log1p(math.exp(-10 * math.cos(math.acos(0.6) + margin)))
    assert loss_at(head, 0.6, length) == pytest.approx(classified + 35 * (kept / 110**2 + 1 / kept))


def test_the_regulariser_rewards_length():
    head = with_axes(MagFace(2, 3, scale=10, min_margin=0.5, max_margin=0.5))

    losses = [loss_at(head, 0.6, length) for length in range(10, 111, 10)]

    assert losses == sorted(losses, reverse=True)


@pytest.mark.parametrize("length", [10.0, 60.0, 110.0])
def test_the_loss_falls_with_the_cosine_whatever_the_length(length):
    assert falls_with_the_cosine(with_axes(MagFace(2, 3, scale=10)), length)


def test_with_an_easy_margin_samples_at_obtuse_angles_have_none():
    head = with_axes(MagFace(2, 3, scale=10, regulariser=0, easy_margin=True))

    assert loss_at(head, -0.6) == pytest.approx(math.log1p(math.exp(10 * 0.6)))
    assert loss_at(head, 0.6, 60) == pytest.approx(math.log1p(math.exp(-10 * math.cos(math.acos(0.6) + 0.625))))


@pytest.mark.parametrize("easy_margin", [False, True])
def test_gradients_are_those_of_the_formula(easy_margin):
    assert gradients_are_exact(MagFace(4, 5, scale=5, easy_margin=easy_margin))


def test_gradients_pass_through_lengths_between_the_bounds():
    head = MagFace(4, 5, scale=5).double()
    directions = torch.randn(6, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(3))

    def loss(lengths):
        return head(lengths[:, None] * directions / directions.norm(dim=1, keepdim=True), LABELS).loss

    lengths = torch.tensor([11.0, 30, 90, 9, 120, 60], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(loss, lengths)
    loss(lengths).backward()
    assert (lengths.grad.abs() > 1e-9).tolist() == [True, True, True, False, False, True]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_length": 0.0}, r"min_length 0\.0, max_length 110\.0: expected 0 < min_length < max_length"),
        ({"max_length": 5.0}, r"min_length 10\.0, max_length 5\.0"),
        ({"min_margin": -0.1}, r"min_margin -0\.1: expected 0 to 1\.5708"),
        ({"max_margin": 0.1}, r"max_margin 0\.1: expected 0\.45 to 1\.5708"),
        ({"regulariser": -1.0}, r"regulariser -1\.0: expected 0 to inf"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        MagFace(2, 3, **options)
