import random
from dataclasses import replace

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from synth.rendering.expressions import EXPRESSIONS
from synth.rendering.nuisance import draw
from synth.rendering.nuisance_ranges import EXPRESSION_RATES, NuisanceRanges

RANGES = NuisanceRanges()
DRAWS = [draw(seed, RANGES) for seed in range(2000)]


def test_same_seed_gives_the_same_nuisances():
    first, again = draw(2**63 - 5, RANGES), draw(2**63 - 5, RANGES)
    assert first.pose == again.pose
    assert first.sensor == again.sensor
    assert np.array_equal(first.lights.lobe_axes, again.lights.lobe_axes)


def test_every_seed_gives_other_nuisances():
    assert len({sample.pose.yaw for sample in DRAWS}) == len(DRAWS)
    assert len({sample.backdrop for sample in DRAWS}) > 0.99 * len(DRAWS)


def test_yaw_spreads_widely_and_stays_within_its_limit():
    yaws = np.array([sample.pose.yaw for sample in DRAWS])
    assert yaws.std() >= 22
    assert abs(yaws).max() <= RANGES.yaw_limit_degrees


@pytest.mark.parametrize(
    ("name", "rate"), [("glasses", 0.12), ("sunglasses", 0.024), ("hat", 0.07), ("mask", 0.04), ("occluder", 0.05)]
)
def test_things_are_worn_at_their_rates(name, rate):
    share = np.mean([getattr(sample.wear, name) for sample in DRAWS])
    assert share == pytest.approx(rate, abs=4 * np.sqrt(rate / len(DRAWS)))


def test_sunglasses_are_glasses():
    assert all(sample.wear.glasses for sample in DRAWS if sample.wear.sunglasses)


def test_expressions_come_at_their_rates():
    for name, rate in EXPRESSION_RATES.items():
        share = np.mean([sample.expression.name == name for sample in DRAWS])
        assert share == pytest.approx(rate, abs=4 * np.sqrt(rate / len(DRAWS)))


def test_every_expression_has_units_and_a_rate():
    assert set(EXPRESSIONS) == set(EXPRESSION_RATES)


def test_one_range_does_not_move_the_other_groups():
    without_hats = draw(11, replace(RANGES, hat_rate=0.0, yaw_sd_degrees=1.0))
    assert without_hats.pose.yaw != draw(11, RANGES).pose.yaw
    assert without_hats.expression == draw(11, RANGES).expression
    assert without_hats.sensor == draw(11, RANGES).sensor


def test_hats_always_or_never_with_a_rate_of_one_or_zero():
    assert all(draw(seed, replace(RANGES, hat_rate=1.0)).wear.hat for seed in range(50))
    assert not any(draw(seed, replace(RANGES, hat_rate=0.0)).wear.hat for seed in range(50))


def test_age_drifts_by_few_years():
    drift = np.array([sample.drift.age_years for sample in DRAWS])
    assert 2 < drift.std() < 3.2
    assert abs(drift).max() <= 6


def test_drawing_leaves_the_global_random_state_alone():
    np.random.seed(3)  # noqa: NPY002
    random.seed(3)
    expected = np.random.random(), random.random()  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    random.seed(3)
    draw(5, RANGES)
    assert (np.random.random(), random.random()) == expected  # noqa: NPY002


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hat_rate", 1.5),
        ("key_intensity", (2.0, 1.0)),
        ("yaw_sd_degrees", -1.0),
        ("distance_dm", (0.0, 4.0)),
        ("expressions", {"smirk": 1.0}),
        ("backgrounds", {"room": 0.0}),
    ],
)
def test_impossible_ranges_are_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f"nuisance.{name}"):
        NuisanceRanges(**{name: value})


def test_ranges_come_from_plain_configuration_values():
    ranges = TypeAdapter(NuisanceRanges).validate_python({"hat_rate": 0.5, "distance_dm": [5, 6]})
    assert ranges == NuisanceRanges(hat_rate=0.5, distance_dm=(5.0, 6.0))


def test_unknown_ranges_in_a_configuration_are_refused():
    with pytest.raises(ValidationError, match="hat_rte"):
        TypeAdapter(NuisanceRanges).validate_python({"hat_rte": 0.5})
