from synth.components import available, resolve
from synth.spaces import SPACES, named


def test_a_message_names_a_space_or_none():
    assert named("sface") == "space 'sface'"
    assert named(None) == "no recogniser's space"


def test_each_space_says_what_makes_it_and_how_long_its_vectors_are():
    for name, description in SPACES.items():
        assert name == name.lower()
        assert "-D" in description


def test_generators_and_recognisers_name_spaces_that_are_described():
    wanted = {resolve("generator", name).vector_space for name in available("generator")}
    made = {vars(resolve("recogniser", name)).get("space") for name in available("recogniser")}

    made = {space for space in made if isinstance(space, str)}
    assert wanted - {None} <= SPACES.keys()
    assert made <= SPACES.keys()
    assert "sface" in made
