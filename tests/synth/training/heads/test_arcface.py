import math

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from synth.training.heads.arcface import ArcFace  # noqa: E402
from tests.synth.training.heads.judging import (  # noqa: E402
    facing,
    falls_with_the_cosine,
    gradients_are_exact,
    loss_at,
    with_axes,
)


def test_the_margin_widens_the_targets_angle():
    head = with_axes(ArcFace(2, 3, scale=10, margin=0.5))

    expected = math.log1p(math.exp(-10 * math.cos(math.acos(0.6) + 0.5)))
    assert loss_at(head, 0.6) == pytest.approx(expected)


def test_beyond_pi_the_margin_is_taken_off_the_cosine():
    head = with_axes(ArcFace(2, 3, scale=10, margin=0.5))

    assert loss_at(head, -0.95) == pytest.approx(math.log1p(math.exp(10 * (0.95 + 0.5 * math.sin(0.5)))))


@pytest.mark.parametrize("margin", [0.0, 0.5, 1.0, math.pi / 2])
def test_the_loss_falls_with_the_cosine_even_beyond_pi(margin):
    assert falls_with_the_cosine(with_axes(ArcFace(2, 3, scale=10, margin=margin)))


def test_gradients_are_those_of_the_formula():
    assert gradients_are_exact(ArcFace(4, 5, scale=5))


def test_the_targets_gradient_has_the_factor_that_a_straight_through_margin_lacks():
    head = with_axes(ArcFace(2, 3, scale=10, margin=0.5))
    embeddings = facing(0.6, length=1.0).requires_grad_()

    loss = head(embeddings, torch.tensor([0])).loss
    loss.backward()

    theta = math.acos(0.6)
    missed = 1 - math.exp(-float(loss.detach()))  # what the softmax gives to the other label
    expected = -missed * 10 * math.sin(theta + 0.5) / math.sin(theta)  # d loss / d cos
    towards = torch.tensor([0.8, 0, -0.6], dtype=torch.float64)  # along it the cosine rises by 0.8 a unit
    away = missed * 10 * 0  # the other centre is at right angles to that direction
    assert float(embeddings.grad[0] @ towards) == pytest.approx(0.8 * expected + away)
    assert expected / (-missed * 10) == pytest.approx(1.237, abs=1e-3)


def test_margins_out_of_range_are_refused():
    with pytest.raises(ValueError, match=r"margin 2: expected 0 to 1\.5708"):
        ArcFace(2, 3, margin=2)
