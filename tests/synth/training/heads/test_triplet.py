import math

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from synth.training.heads.triplet import Triplet  # noqa: E402
from tests.synth.training.heads.judging import LABELS, LENGTHS, gradients_are_exact  # noqa: E402


def turned(*degrees, length=3.0):
    """Returns embeddings of a plane, float64 (B, 2), at these angles."""
    angles = torch.deg2rad(torch.tensor(degrees, dtype=torch.float64))
    return length * torch.stack([angles.cos(), angles.sin()], dim=1)


def squared(degrees):
    """Returns the squared distance of two unit vectors."""
    return 2 - 2 * math.cos(math.radians(degrees))


def loss_of(head, embeddings, *labels):
    return float(head(embeddings, torch.tensor(labels)).loss)


def test_a_semi_hard_negative_is_the_nearest_that_is_farther_than_the_positive():
    # Anchor 0 with positive 20: of the negatives 10, -30 and 90 the second is taken; anchor 20 with positive 0: none of
    # 10, 50 and 70 degrees away is nearer than 50.
    embeddings = turned(0, 20, 10, -30, 90)

    loss = loss_of(Triplet(4, 2, margin=1.0), embeddings, 0, 0, 1, 2, 3)

    expected = [squared(20) - squared(30) + 1, squared(20) - squared(50) + 1]
    assert loss == pytest.approx(sum(expected) / 2)


def test_where_no_negative_is_farther_the_farthest_one_is_taken():
    loss = loss_of(Triplet(3, 2, margin=0.2), turned(0, 90, 30, 50), 0, 0, 1, 2)

    expected = [squared(90) - squared(50) + 0.2, squared(90) - squared(60) + 0.2]
    assert loss == pytest.approx(sum(expected) / 2)


def test_hard_takes_the_farthest_positive_and_the_nearest_negative():
    loss = loss_of(Triplet(3, 2, margin=0.2, selection="hard"), turned(0, 30, 40, 60, 100), 0, 0, 0, 1, 2)

    expected = [(40, 60), (30, 30), (40, 20)]
    terms = [max(0, squared(positive) - squared(negative) + 0.2) for positive, negative in expected]
    assert loss == pytest.approx(sum(terms) / 3)


@pytest.mark.parametrize("selection", ["semi_hard", "hard"])
def test_triplets_with_enough_room_cost_nothing(selection):
    head = Triplet(2, 2, margin=0.2, selection=selection)

    assert loss_of(head, turned(0, 1, 90, 91), 0, 0, 1, 1) == 0


def test_the_length_of_embeddings_does_not_matter():
    head = Triplet(2, 2, margin=1.0)

    short, long = (loss_of(head, turned(0, 30, 50, 60, length=length), 0, 0, 1, 1) for length in (0.1, 70.0))

    assert short == pytest.approx(long)


@pytest.mark.parametrize("selection", ["semi_hard", "hard"])
@pytest.mark.parametrize("labels", [(0, 1, 2), (0, 0, 0), (0,)], ids=["no positives", "no negatives", "one sample"])
def test_a_batch_without_triplets_has_a_loss_of_0_and_gradients_of_0(selection, labels):
    embeddings = turned(0, 30, 60)[: len(labels)].requires_grad_()

    result = Triplet(3, 2, selection=selection)(embeddings, torch.tensor(labels))
    result.loss.backward()

    assert float(result.loss.detach()) == 0
    assert torch.equal(embeddings.grad, torch.zeros_like(embeddings))


def test_similarities_are_to_the_farthest_positive_and_hits_to_the_nearest_sample():
    result = Triplet(3, 2)(turned(0, 20, 70, 75, 180), torch.tensor([0, 0, 0, 1, 2]))

    expected = [math.cos(math.radians(degrees)) for degrees in (70, 50, 70)]
    assert result.similarities[:3].tolist() == pytest.approx(expected)
    assert result.similarities[3:].isnan().all()
    assert result.hits.tolist() == [True, True, False, False, False]


@pytest.mark.parametrize("selection", ["semi_hard", "hard"])
def test_gradients_are_those_of_the_formula(selection):
    head = Triplet(4, 5, margin=1.5, selection=selection)

    assert gradients_are_exact(head, torch.cat([LABELS, LABELS]), torch.cat([LENGTHS, LENGTHS]))


def test_only_this_head_asks_for_pairs():
    from synth.training.heads.cosface import CosFace

    assert Triplet.needs_pairs
    assert not CosFace.needs_pairs


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"margin": 5.0}, r"margin 5\.0: expected 0 to 4"),
        ({"selection": "all"}, "selection 'all': expected 'semi_hard' or 'hard'"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Triplet(2, 2, **options)
