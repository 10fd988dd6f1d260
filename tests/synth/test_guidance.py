import pytest

from synth.guidance import check_guidance


@pytest.mark.parametrize("guidance", [1.0, 3.0, 30.0])
def test_strengths_from_none_to_the_most_are_taken(guidance):
    check_guidance(guidance)


@pytest.mark.parametrize("guidance", [0.99, 30.1, float("nan"), float("inf")])
def test_other_strengths_are_refused(guidance):
    with pytest.raises(ValueError, match=f"guidance {guidance}: expected 1 to 30; 1 is none"):
        check_guidance(guidance)
