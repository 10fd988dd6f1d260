"""A generator of a few numbers and tiny estimators: gradients flow as through the real ones, within seconds."""

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from dataclasses import replace  # noqa: E402

from torch import nn  # noqa: E402

from synth.errors import WeightsError  # noqa: E402
from synth.vec2face.attribute_optimisation import AttributeOptimiser, Outcome  # noqa: E402
from synth.vec2face.options import AttributeTargets  # noqa: E402
from tests.synth.generators.vec2face_checkpoint import write_estimators  # noqa: E402

CPU = torch.device("cpu")
ROWS = 3
NEVER = {"similarity": 1.0, "quality": 1e4, "quality_slack": 0.0}  # out of reach


class TinyGenerator(nn.Module):
    """A smooth 112 px image of a vector and of the row's own pattern, which stands for its mask."""

    def __init__(self):
        super().__init__()
        random = torch.Generator().manual_seed(8)
        self.linear = nn.Linear(512, 3 * 7 * 7, bias=False).requires_grad_(False)
        self.linear.weight.normal_(std=0.06, generator=random)
        self.patterns = torch.randn(ROWS, 3, 7, 7, generator=random) * 0.3
        self.calls = []

    def forward(self, vectors, rows):
        self.calls.append(rows.tolist())
        grid = self.linear(vectors).view(-1, 3, 7, 7) + self.patterns[rows]
        return torch.tanh(grid).repeat_interleave(16, dim=2).repeat_interleave(16, dim=3)


@pytest.fixture(scope="module")
def targets(tmp_path_factory):
    return AttributeTargets(**write_estimators(tmp_path_factory.mktemp("estimators")), max_steps=3, rows_at_once=ROWS)


@pytest.fixture(scope="module")
def vectors():
    return torch.randn(ROWS, 512, generator=torch.Generator().manual_seed(9))


def optimised(targets, vectors, rows=None, yaw=30.0, generator=None):
    """Optimises rows of the batch of three, each with its own pattern."""
    chosen = torch.arange(ROWS) if rows is None else torch.tensor(rows)
    generator = generator or TinyGenerator()
    start = vectors[chosen]
    return AttributeOptimiser(targets, CPU).optimise(
        lambda moving, inside: generator(moving, chosen[inside]), start, start, torch.full((len(chosen),), yaw)
    )


def test_the_loss_falls_and_a_longer_search_is_never_worse(targets, vectors):
    losses = [optimised(replace(targets, **NEVER, max_steps=steps), vectors).losses for steps in (0, 2, 4)]

    assert (losses[1] < losses[0]).all()
    assert (losses[2] <= losses[1]).all()
    assert (losses[2] < losses[0] - 1).all()


def test_the_search_ends_at_its_cap_and_says_what_it_did_not_reach(targets, vectors):
    generator = TinyGenerator()

    outcome = optimised(replace(targets, **NEVER), vectors, generator=generator)

    assert len(generator.calls) == 4  # the first image and three changes
    assert not outcome.met.any()
    assert outcome.steps.max() <= 3
    for name in Outcome.__slots__:
        assert torch.isfinite(getattr(outcome, name).float()).all()


def test_rows_leave_as_soon_as_they_are_good(targets, vectors):
    first = optimised(replace(targets, **NEVER, max_steps=0), vectors)
    between = float(first.quality.sort().values[:2].mean())  # one row is below, two are above
    generator = TinyGenerator()

    outcome = optimised(
        replace(targets, similarity=-1.0, quality=between, quality_slack=0.0, max_steps=40),
        vectors,
        generator=generator,
    )

    low = int(first.quality.argmin())
    assert outcome.met.all()
    assert outcome.quality.min() >= between
    assert outcome.steps[low] == len(generator.calls) - 1 > 0
    others = [row for row in range(ROWS) if row != low]
    assert outcome.steps[others].tolist() == [0, 0]
    assert torch.equal(outcome.images[others], first.images[others])


def test_the_network_always_sees_equally_many_rows_and_the_next_take_the_places_of_those_that_left(targets, vectors):
    generator = TinyGenerator()

    outcome = optimised(replace(targets, **NEVER, max_steps=1, rows_at_once=2), vectors, generator=generator)

    assert generator.calls[:2] == [[0, 1], [0, 1]]
    assert [len(rows) for rows in generator.calls] == [2, 2, 2, 2]
    assert [2 in rows for rows in generator.calls] == [False, False, True, True]
    assert not outcome.met.any()
    assert (outcome.losses > 0).all()


def test_what_is_returned_is_the_image_that_was_judged(targets, vectors):
    optimiser = AttributeOptimiser(targets, CPU)
    generator = TinyGenerator()

    outcome = optimiser.optimise(generator, vectors, vectors, torch.zeros(ROWS))

    with torch.inference_mode():
        _, again = optimiser._judged(outcome.images, vectors, torch.zeros(ROWS), outcome.steps)
    assert torch.allclose(again.losses, outcome.losses, rtol=1e-4)
    assert torch.allclose(again.quality, outcome.quality, rtol=1e-4)


def test_a_row_does_not_depend_on_the_others_by_a_single_bit(targets, vectors):
    first = optimised(replace(targets, max_steps=0), vectors)
    met_by_one = {"similarity": -1.0, "quality": float(first.quality.max()), "quality_slack": 0.0}

    for asked in (NEVER, met_by_one):  # with the second, others leave at once or later
        asking = replace(targets, **asked, max_steps=12)
        together = optimised(asking, vectors)
        for rows in ([1], [2, 1], [1, 0, 1, 2, 0]):
            apart = optimised(asking, vectors, rows=rows)
            for name in Outcome.__slots__:
                assert torch.equal(getattr(apart, name), getattr(together, name)[rows]), name


def test_an_image_that_overflowed_is_no_white_one_and_spoils_no_other(targets, vectors):
    def images_of(moving, rows):
        return TinyGenerator()(moving, rows) + torch.where(rows == 1, torch.inf, 0)[:, None, None, None]

    outcome = AttributeOptimiser(targets, CPU).optimise(images_of, vectors, vectors, torch.zeros(ROWS))

    assert outcome.images.isfinite().flatten(1).all(dim=1).tolist() == [True, False, True]
    assert not outcome.met[1]


def test_a_yaw_is_sought_on_either_side(targets, vectors):
    def missed(outcome):
        return (60 - outcome.yaw.abs()).abs()

    asked = replace(targets, similarity=-1.0, quality=0.0, yaw_degrees=(60.0, 60.0), yaw_slack_degrees=0.5)

    before = optimised(replace(asked, max_steps=0), vectors, yaw=60.0)
    after = optimised(replace(asked, max_steps=4), vectors, yaw=60.0)

    assert missed(after).mean() < missed(before).mean()
    assert (after.losses < before.losses).all()


def test_without_a_yaw_its_estimator_is_not_even_read(targets, vectors):
    outcome = optimised(replace(targets, pose_estimator="nowhere.pth", max_steps=0), vectors)

    assert outcome.yaw.tolist() == [0, 0, 0]
    with pytest.raises(WeightsError, match=r"nowhere\.pth"):
        optimised(replace(targets, pose_estimator="nowhere.pth", yaw_degrees=(0.0, 60.0)), vectors)


def test_estimators_stay_frozen_and_the_vectors_handed_in_untouched(targets, vectors):
    optimiser = AttributeOptimiser(targets, CPU)
    before = vectors.clone()

    optimiser.optimise(TinyGenerator(), vectors, vectors, torch.zeros(ROWS))

    assert torch.equal(vectors, before)
    for network in (optimiser._recogniser, optimiser._quality):
        assert not network.training
        assert all(value.grad is None and not value.requires_grad for value in network.parameters())
