import math

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from synth.training.heads.cosface import CosFace  # noqa: E402
from tests.synth.training.heads.judging import (  # noqa: E402
    falls_with_the_cosine,
    gradients_are_exact,
    loss_at,
    with_axes,
)


def test_the_margin_is_taken_off_the_targets_cosine():
    head = with_axes(CosFace(2, 3, scale=10, margin=0.35))

    assert loss_at(head, 0.6) == pytest.approx(math.log1p(math.exp(-10 * (0.6 - 0.35))))
    assert loss_at(head, -0.6) == pytest.approx(math.log1p(math.exp(10 * (0.6 + 0.35))))


def test_the_loss_falls_with_the_cosine():
    assert falls_with_the_cosine(with_axes(CosFace(2, 3, scale=10)))


def test_gradients_are_those_of_the_formula():
    assert gradients_are_exact(CosFace(4, 5, scale=5))


def test_centres_of_other_labels_that_are_very_near_can_be_left_out():
    plain, filtered = (CosFace(3, 2, scale=10, margin=0.1, ignore_above=bound) for bound in (None, 0.9))
    centres = torch.tensor([[1.0, 0.0], [0.95, 0.05], [0.0, 1.0]])
    embeddings, labels = torch.tensor([[3.0, 0.0]]), torch.tensor([0])
    for head in (plain, filtered):
        head.centres.data.copy_(centres)
    near = 0.95 / math.hypot(0.95, 0.05)

    with torch.no_grad():
        all_counted, one_left_out = plain(embeddings, labels).loss, filtered(embeddings, labels).loss

    assert float(all_counted) == pytest.approx(math.log1p(math.exp(10 * near - 9) + math.exp(-9)), rel=1e-5)
    assert float(one_left_out) == pytest.approx(math.log1p(2 * math.exp(-9)), rel=1e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"margin": -0.1}, r"margin -0\.1: expected 0 to 1"),
        ({"scale": 0.0}, "scale 0.0: expected more than 0"),
        ({"ignore_above": 1.5}, r"ignore_above 1\.5: expected 0 to 1"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        CosFace(2, 3, **options)
