import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from torch.nn import functional  # noqa: E402

from synth.training.heads.sface import SFace  # noqa: E402
from tests.synth.training.heads.judging import LABELS, facing, loss_at, with_axes  # noqa: E402


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def slope_at(head, cosine):
    """Returns the derivative of a sample's loss by its cosine to its centre; the other centre's is 0."""
    embeddings = facing(cosine, length=1.0).requires_grad_()
    head(embeddings, torch.tensor([0])).loss.backward()
    sine = math.sqrt(1 - cosine**2)
    along = torch.tensor([sine, 0, -cosine], dtype=torch.float64)  # the cosine rises by the sine a unit
    return float(embeddings.grad[0] @ along) / sine


def test_a_sample_is_pulled_by_its_own_centre_and_pushed_by_the_others():
    head = with_axes(SFace(2, 3, scale=10, slope=8, intra=0.8, inter=1.23))

    pull = sigmoid(8 * (math.acos(0.6) - 0.8)) * 0.6
    assert loss_at(head, 0.6) == pytest.approx(-10 * pull)  # the other cosine is 0
    both = head(facing(0.6), torch.tensor([1]))
    push = sigmoid(8 * (1.23 - math.acos(0.6))) * 0.6
    assert float(both.loss.detach()) == pytest.approx(10 * push)


def test_the_pull_fades_near_the_centre_and_never_turns_round():
    head = with_axes(SFace(2, 3, scale=10))

    slopes = [slope_at(head, cosine) for cosine in np.linspace(-0.99, 0.99, 199)]

    assert max(slopes) <= 0
    assert slope_at(head, math.cos(0.8)) == pytest.approx(-5)
    assert slope_at(head, math.cos(0.9)) == pytest.approx(-10, rel=1e-3)
    assert slope_at(head, math.cos(0.7)) == pytest.approx(0, abs=0.01)


def test_gradients_are_those_of_cosines_with_constant_factors():
    head = SFace(4, 5, scale=5, slope=4).double()
    random = torch.Generator().manual_seed(3)
    embeddings = torch.randn(6, 5, dtype=torch.float64, generator=random, requires_grad=True)
    head.centres.data = torch.randn(4, 5, dtype=torch.float64, generator=random)

    def cosines():
        return functional.normalize(embeddings) @ functional.normalize(head.centres).T

    angles = np.arccos(cosines().detach().numpy())
    own = np.eye(4)[LABELS.numpy()]
    factors = (1 - own) * sigmoid(4 * (1.23 - angles)) - own * sigmoid(4 * (angles - 0.8))
    expected = torch.autograd.grad(5 * (torch.from_numpy(factors) * cosines()).sum() / 6, [embeddings, head.centres])

    found = torch.autograd.grad(head(embeddings, LABELS).loss, [embeddings, head.centres])

    for ours, theirs in zip(found, expected, strict=True):
        assert torch.allclose(ours, theirs, atol=1e-12)


def test_cosines_that_rounding_puts_above_1_do_no_harm():
    torch.manual_seed(0)
    head = SFace(256, 6)
    embeddings = head.centres.detach()
    cosines = (functional.normalize(embeddings) ** 2).sum(dim=1)
    assert cosines.max() > 1

    loss = head(embeddings, torch.arange(256)).loss
    loss.backward()

    assert loss.isfinite()
    assert head.centres.grad.isfinite().all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"slope": 0.0}, r"slope 0\.0: expected more than 0"),
        ({"intra": 4.0}, r"intra 4\.0: expected 0 to 3\.14159"),
        ({"inter": -1.0}, r"inter -1\.0: expected 0 to 3\.14159"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        SFace(2, 3, **options)
