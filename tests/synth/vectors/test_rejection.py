import numpy as np
import pytest

from synth.errors import VectorsError
from synth.similarity import separate, unit
from synth.vectors.rejection import draw_separated


def sequence(vectors):
    return lambda start, stop: vectors[start:stop]


@pytest.fixture(scope="module")
def crowd():
    return unit(np.random.default_rng(0).standard_normal((3000, 12)))


@pytest.mark.parametrize("round_size", [1, 7, 100, 3000])
def test_the_choice_does_not_depend_on_how_many_are_drawn_at_a_time(crowd, round_size):
    expected = crowd[separate(crowd, 0.7)][:200]
    assert len(expected) == 200

    found = draw_separated(sequence(crowd), 200, 0.7, round_size=round_size)

    assert (found == expected).all()


def test_without_a_bound_the_first_ones_are_taken(crowd):
    assert (draw_separated(sequence(crowd), 20, None) == crowd[:20]).all()


def test_it_gives_up_when_hardly_any_candidate_passes():
    drawn = []

    def same(start, stop):
        drawn.append(stop - start)
        return np.ones((stop - start, 3), dtype=np.float32)

    with pytest.raises(VectorsError, match=r"2 identity vectors .* found 1 among 8500 candidates, and hardly any"):
        draw_separated(same, 2, 0.9, round_size=500)

    assert sum(drawn) == 8500
