import pytest
from pydantic import ValidationError

from synth.training.recipe import Recipe


def test_cosine_falls_from_the_full_rate_to_nearly_nothing():
    recipe = Recipe(steps=100, learning_rate=0.2)
    rates = [recipe.learning_rate_at(step) for step in range(100)]

    assert rates[0] == pytest.approx(0.2)
    assert rates[50] == pytest.approx(0.1)
    assert rates[-1] < 0.001
    assert rates == sorted(rates, reverse=True)


def test_poly_of_power_one_is_a_straight_line():
    recipe = Recipe(steps=10, learning_rate=1.0, schedule="poly")

    assert [recipe.learning_rate_at(step) for step in range(10)] == pytest.approx([1 - step / 10 for step in range(10)])


def test_step_falls_to_a_tenth_at_each_milestone():
    recipe = Recipe(steps=10, learning_rate=1.0, schedule="step", milestones=[0.5, 0.8])

    rates = [recipe.learning_rate_at(step) for step in range(10)]

    assert rates == pytest.approx([1.0] * 5 + [0.1] * 3 + [0.01] * 2)


def test_milestones_are_shares_of_all_steps_warm_up_included():
    recipe = Recipe(steps=100, learning_rate=1.0, schedule="step", milestones=[0.5], warmup_steps=20)

    rates = [recipe.learning_rate_at(step) for step in (49, 50)]

    assert rates == pytest.approx([1.0, 0.1])


def test_the_warm_up_rises_to_the_full_rate():
    recipe = Recipe(steps=20, learning_rate=0.4, warmup_steps=4)

    assert [recipe.learning_rate_at(step) for step in range(5)] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4])


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 0}, {"batch_size": 1}, {"learning_rate": 0.0}, {"learning_rate": float("inf")}, {"momentum": 1.0},
        {"average": -0.1}, {"warmup_steps": 11}, {"milestones": [0.8, 0.5]}, {"milestones": [1.0]},
        {"precision": "float16"}, {"schedule": "linear"}, {"learning_rate": "0.1"}, {"lr": 0.1},
    ],
    ids=str,
)  # fmt: skip
def test_recipes_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValidationError):
        Recipe(**({"steps": 10} | wrong))
