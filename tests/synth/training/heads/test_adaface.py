import math

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from synth.training.heads.adaface import AdaFace  # noqa: E402
from tests.synth.training.heads.judging import (  # noqa: E402
    falls_with_the_cosine,
    gradients_are_exact,
    loss_at,
    with_axes,
)

LABELS = torch.tensor([0, 1, 0])


def lengthened(*lengths):
    return torch.tensor(lengths)[:, None] * torch.tensor([[0.6, 0.0, 0.8]])


def with_norms(mean, spread, **options):
    """Returns a head in evaluation that has seen embeddings of these norms."""
    head = with_axes(AdaFace(2, 3, scale=10, **options)).eval()
    head.mean.fill_(mean)
    head.spread.fill_(spread)
    return head


@pytest.mark.parametrize(("length", "quality"), [(20.0, 0.0), (26.0, 0.5), (17.0, -0.25), (90.0, 1.0), (1.0, -1.0)])
def test_the_margin_goes_from_an_angle_to_a_cosine_as_norms_grow(length, quality):
    head = with_norms(20.0, 4.0 - 1e-3, margin=0.4, concentration=1 / 3)

    expected = math.cos(math.acos(0.6) - 0.4 * quality) - 0.4 - 0.4 * quality
    assert loss_at(head, 0.6, length) == pytest.approx(math.log1p(math.exp(-10 * expected)))


def test_angles_stay_between_0_and_pi():
    head = with_norms(20.0, 4.0, margin=0.4)

    assert loss_at(head, 0.99, length=90.0) == pytest.approx(math.log1p(math.exp(-10 * (1 - 0.8))))
    assert loss_at(head, -0.99, length=1.0) == pytest.approx(math.log1p(math.exp(10 * (0.99 + 0.4 * math.sin(0.4)))))


@pytest.mark.parametrize("length", [1.0, 17.0, 20.0, 26.0, 90.0])
def test_the_loss_falls_with_the_cosine_whatever_the_norm(length):
    assert falls_with_the_cosine(with_norms(20.0, 4.0), length)


def test_gradients_are_those_of_the_formula():
    assert gradients_are_exact(AdaFace(4, 5, scale=5).eval())


def test_no_gradient_passes_through_the_norm():
    head = AdaFace(2, 3, scale=10)
    embeddings = lengthened(10.0, 20.0, 40.0).requires_grad_()

    head(embeddings, LABELS).loss.backward()

    along = (embeddings.grad * embeddings.detach()).sum(dim=1)
    assert embeddings.grad.norm() > 1e-3
    assert along.abs().max() < 1e-5


def test_statistics_move_a_little_towards_each_batch():
    head = AdaFace(2, 3)

    head(lengthened(10.0, 20.0, 40.0), LABELS)

    norms = [10.0, 20.0, 40.0]
    mean = sum(norms) / 3
    spread = math.sqrt(sum((norm - mean) ** 2 for norm in norms) / 2)
    assert float(head.mean) == pytest.approx(0.99 * 20 + 0.01 * mean)
    assert float(head.spread) == pytest.approx(0.99 * 100 + 0.01 * spread)


def test_statistics_are_part_of_the_state_and_evaluation_leaves_them():
    head = AdaFace(2, 3)
    head(lengthened(10.0, 20.0, 40.0), LABELS)
    state = {name: value.clone() for name, value in head.state_dict().items()}

    again = AdaFace(2, 3)
    again.load_state_dict(state)
    again.eval()(lengthened(1.0, 2.0, 3.0), LABELS)

    assert set(state) == {"centres", "mean", "spread"}
    assert again.mean == head.mean != 20
    assert again.spread == head.spread != 100


@pytest.mark.parametrize("lengths", [(50.0,), (math.nan, 20.0, 30.0)])
def test_batches_that_say_nothing_about_norms_leave_the_statistics(lengths):
    head = AdaFace(2, 3)

    head(lengthened(*lengths), LABELS[: len(lengths)])

    assert head.mean == 20
    assert head.spread == 100


def test_infinite_norms_count_as_the_largest():
    head = AdaFace(2, 3)

    head(lengthened(1e30, 10.0), LABELS[:2])

    assert float(head.mean) == pytest.approx(0.99 * 20 + 0.01 * 55)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"margin": -1.0}, r"margin -1\.0: expected 0 to 1\.5708"),
        ({"concentration": -1.0}, r"concentration -1\.0: expected 0 to inf"),
        ({"rate": 2.0}, r"rate 2\.0: expected 0 to 1"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        AdaFace(2, 3, **options)
