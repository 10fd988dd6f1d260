"""A text of a few lines may not cost hours, and whatever is wrong with it has a line."""

import time

import pytest
import yaml

from synth.plain_yaml import MAX_CHARACTERS, read_plain_yaml

LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 8)}]\n" for i in range(1, 10)
)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (LAUGHS, f"its aliases stand for more than {MAX_CHARACTERS} characters"),
        ("x: &x [*x]", "nested deeper than 40 levels"),
        ("x: &x {<<: *x}", "nested deeper than 40 levels"),
        ("x: " + 50 * "[" + 50 * "]", "nested deeper than 40 levels"),
        ("x: 2024-13-45", "'2024-13-45' is no timestamp that can be read"),
        ("x: !!int abc", "'abc' is no int that can be read"),
        ("x: !!bool abc", "'abc' is no bool that can be read"),
        ("x: !!timestamp abc", "'abc' is no timestamp that can be read"),
        ("x: 0x" + 5000 * "f", "an integer of more than 64 bits"),
        ("x: -9223372036854775809", "an integer of more than 64 bits"),
    ],
)
def test_a_value_that_cannot_be_is_told_with_its_line_at_once(text, problem):
    started = time.process_time()

    with pytest.raises(yaml.MarkedYAMLError) as told:
        read_plain_yaml("seed: 1\n" + text)

    assert told.value.problem == problem
    assert told.value.problem_mark.line >= 1
    assert time.process_time() - started < 5


@pytest.mark.parametrize("text", [5000 * "[", "x: " + MAX_CHARACTERS * "a"])
def test_what_is_too_deep_or_too_long_to_be_looked_at_is_refused(text):
    with pytest.raises(yaml.YAMLError, match=r"nested deeper|at most 250000 are read"):
        read_plain_yaml(text)


def test_what_an_alias_repeats_can_be_changed_alone():
    data, _ = read_plain_yaml("first: &a {min: 1}\nsecond: *a\n")

    data["first"]["min"] = 2

    assert data["second"] == {"min": 1}


def test_the_widest_integers_are_read():
    data, _ = read_plain_yaml("[18446744073709551615, -9223372036854775808]")

    assert data == [2**64 - 1, -(2**63)]
