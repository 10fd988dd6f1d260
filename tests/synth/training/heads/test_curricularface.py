import math

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from synth.training.heads.curricularface import CurricularFace  # noqa: E402
from tests.synth.training.heads.judging import (  # noqa: E402
    facing,
    falls_with_the_cosine,
    gradients_are_exact,
    loss_at,
    with_axes,
)


def far_on(progress, **options):
    """Returns a head in evaluation at some point of training."""
    head = with_axes(CurricularFace(2, 3, scale=10, **options)).eval()
    head.progress.fill_(progress)
    return head


def test_easy_negatives_stay_as_they_are():
    expected = math.log1p(math.exp(10 * (0.0 - math.cos(math.acos(0.9) + 0.5))))

    assert loss_at(far_on(0.4), 0.9) == pytest.approx(expected)


@pytest.mark.parametrize("progress", [0.0, 0.4, 0.9])
def test_hard_negatives_grow_as_training_goes_on(progress):
    head = far_on(progress)
    embeddings = torch.tensor([[0.6, 0.8, 0.0]], dtype=torch.float64)

    loss = float(head(embeddings, torch.tensor([0])).loss.detach())

    hard = 0.8 * (progress + 0.8)
    assert loss == pytest.approx(math.log1p(math.exp(10 * (hard - math.cos(math.acos(0.6) + 0.5)))))


def test_progress_is_the_moving_average_of_the_targets_cosines_alone():
    head = with_axes(CurricularFace(2, 3, rate=0.1))
    embeddings = torch.cat([facing(0.6), facing(-0.2)])

    head(embeddings, torch.tensor([0, 0]))
    head(embeddings, torch.tensor([0, 0]))

    assert float(head.progress) == pytest.approx(0.9 * 0.1 * 0.2 + 0.1 * 0.2)


def test_progress_is_part_of_the_state_and_evaluation_leaves_it():
    head = with_axes(CurricularFace(2, 3))
    head(facing(0.6), torch.tensor([0]))
    state = {name: value.clone() for name, value in head.state_dict().items()}

    again = CurricularFace(2, 3).double().eval()
    again.load_state_dict(state)
    again(facing(0.1), torch.tensor([0]))

    assert set(state) == {"centres", "progress"}
    assert again.progress == head.progress != 0


def test_embeddings_that_are_no_numbers_leave_the_progress():
    head = CurricularFace(2, 3)

    head(torch.full((2, 3), math.nan), torch.tensor([0, 1]))

    assert head.progress == 0


def test_the_loss_falls_with_the_cosine():
    assert falls_with_the_cosine(far_on(0.4))


def test_gradients_are_those_of_the_formula():
    head = CurricularFace(4, 5, scale=5).eval()
    head.progress.fill_(0.3)

    assert gradients_are_exact(head)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"margin": 2.0}, r"margin 2\.0: expected 0 to 1\.5708"), ({"rate": -1.0}, r"rate -1\.0: expected 0 to 1")],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        CurricularFace(2, 3, **options)
