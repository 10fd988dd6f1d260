import math

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from synth.training.heads.elasticface import ElasticFace  # noqa: E402
from tests.synth.training.heads.judging import (  # noqa: E402
    falls_with_the_cosine,
    gradients_are_exact,
    loss_at,
    with_axes,
)

VARIANTS = [
    {"base": "arc", "plus": False},
    {"base": "arc", "plus": True},
    {"base": "cos", "plus": False},
    {"base": "cos", "plus": True},
]


def cosines(count):
    return torch.rand(count, generator=torch.Generator().manual_seed(5)) * 1.6 - 0.8


@pytest.mark.parametrize(
    ("options", "mean", "spread"),
    [(VARIANTS[0], 0.5, 0.05), (VARIANTS[1], 0.5, 0.0175), (VARIANTS[2], 0.35, 0.05), (VARIANTS[3], 0.35, 0.02)],
)
def test_margins_are_drawn_from_a_normal_distribution(options, mean, spread):
    torch.manual_seed(0)

    margins = ElasticFace(2, 3, **options).margins(cosines(10_000))

    assert float(margins.mean()) == pytest.approx(mean, abs=4 * spread / 100)
    assert float(margins.std()) == pytest.approx(spread, rel=0.04)


@pytest.mark.parametrize("base", ["arc", "cos"])
def test_plus_gives_the_largest_margin_to_the_sample_farthest_from_its_centre(base):
    torch.manual_seed(0)
    targets = cosines(128)

    margins = ElasticFace(2, 3, base=base, plus=True).margins(targets)

    assert margins[targets.argmin()] == margins.max()
    assert torch.equal(targets.argsort(), margins.argsort(descending=True))
    assert torch.corrcoef(torch.stack([targets, margins]))[0, 1] < -0.9


def test_without_plus_margins_do_not_know_the_cosines():
    torch.manual_seed(0)
    targets = cosines(10_000)

    margins = ElasticFace(2, 3).margins(targets)

    assert torch.corrcoef(torch.stack([targets, margins]))[0, 1].abs() < 0.04


def test_margins_follow_the_global_seed():
    head = ElasticFace(2, 3)

    first, second = head.margins(cosines(8)), head.margins(cosines(8))
    torch.manual_seed(1)
    third = head.margins(cosines(8))
    torch.manual_seed(1)

    assert not torch.equal(first, second)
    assert torch.equal(third, head.margins(cosines(8)))


def test_margins_stay_in_the_range_of_their_base():
    torch.manual_seed(0)

    angles = ElasticFace(2, 3, base="arc", margin=0.1, spread=1.0).margins(cosines(1000))
    takings = ElasticFace(2, 3, base="cos", margin=0.9, spread=1.0).margins(cosines(1000))

    assert (angles.min(), takings.min(), takings.max()) == (0, 0, 1)
    assert float(angles.max()) == pytest.approx(math.pi / 2)


def test_in_evaluation_every_margin_is_the_mean():
    arc, cos = (with_axes(ElasticFace(2, 3, scale=10, base=base)).eval() for base in ("arc", "cos"))

    assert loss_at(arc, 0.6) == pytest.approx(math.log1p(math.exp(-10 * math.cos(math.acos(0.6) + 0.5))))
    assert loss_at(cos, 0.6) == pytest.approx(math.log1p(math.exp(-10 * (0.6 - 0.35))))
    assert falls_with_the_cosine(arc)
    assert falls_with_the_cosine(cos)


@pytest.mark.parametrize("options", VARIANTS)
def test_gradients_are_those_of_the_formula(options):
    assert gradients_are_exact(ElasticFace(4, 5, scale=5, **options))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"base": "sin"}, "base 'sin': expected 'arc' or 'cos'"),
        ({"base": "cos", "margin": 1.5}, r"margin 1\.5: expected 0 to 1"),
        ({"spread": -0.1}, r"spread -0\.1: expected 0 to 1"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        ElasticFace(2, 3, **options)
