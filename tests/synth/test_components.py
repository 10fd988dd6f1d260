import pytest

from synth.components import ComponentSpec, available, build, check, resolve, shown
from synth.errors import ComponentError
from tests.fakes import PaintedVector


def refusal(kind, name, **options):
    with pytest.raises(ComponentError) as caught:
        build(ComponentSpec(kind, name, options))
    return str(caught.value)


def test_a_file_of_the_folder_is_a_component():
    assert available("filter") == sorted(available("filter"))
    assert "base" not in available("filter")
    assert resolve("filter", "sharpness").__module__ == "filters.sharpness"


def test_a_class_of_any_module_is_a_component():
    assert resolve("generator", "tests.fakes.PaintedVector") is PaintedVector
    assert build(ComponentSpec("generator", "tests.fakes.PaintedVector", {"size": 16})).size == 16


def test_an_unknown_name_lists_the_folder_and_the_nearest():
    names = ", ".join(available("sampler"))

    assert refusal("sampler", "gausian") == (
        f"no sampler named 'gausian'; synth/samplers/ has {names}; did you mean 'gaussian'?"
    )


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("generator", "tests.nowhere.Toy", "no generator 'tests.nowhere.Toy'"),
        ("filter", "tests.fakes.PaintedVector", "is no filter: expected a subclass of Filter"),
        ("generator", "tests.toy", "tests.toy: expected one Generator, found 0; name the class in `type`"),
    ],
)
def test_what_is_no_component_is_told(kind, name, message):
    assert message in refusal(kind, name)


def test_all_mistakes_in_options_are_told_at_once():
    message = refusal("sampler", "gaussian", dimension="32", max_similarty=0.5)

    assert message.splitlines() == [
        "GaussianSampler.dimension: input should be a valid integer, got '32'; that is text, write 32",
        "GaussianSampler.max_similarty: unknown option; did you mean 'max_similarity'?",
    ]


@pytest.mark.parametrize(("text", "number"), [("1e-3", "0.001"), ("1e-9", "1.0e-09"), ("-2.5", "-2.5")])
def test_a_number_that_yaml_takes_for_text_is_written_out(text, number):
    assert refusal("sampler", "gaussian", max_similarity=text).endswith(f"got '{text}'; that is text, write {number}")


@pytest.mark.parametrize("value", ["high", "nan", "inf", [1], True])
def test_what_is_no_number_gets_no_such_hint(value):
    assert refusal("sampler", "gaussian", dimension=value).endswith(f"got {value!r}")


def test_a_missing_option_is_told():
    assert refusal("sampler", "from_file") == "FileSampler.path: missing; this option has no default"


def test_a_value_that_the_constructor_refuses_is_told_with_its_component():
    assert check(ComponentSpec("sampler", "gaussian", {"dimension": 0})) == {"dimension": 0}
    assert refusal("sampler", "gaussian", dimension=0) == "sampler gaussian: dimension 0: must be at least 1"


@pytest.mark.parametrize("name", [".", "..", ".toy", "my lab.toy", "../toy", "my_lab..toy"])
def test_a_name_that_no_module_can_have_is_told(name):
    with pytest.raises(ComponentError, match=r"expected a file of synth.generators, or a module like"):
        resolve("generator", name)


def test_a_long_value_is_cut_in_a_message():
    assert shown("x" * 1000) == "'" + "x" * 196 + "..."
