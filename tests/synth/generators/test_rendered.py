import random
import subprocess
import sys

import numpy as np
import pytest

from synth.components import ComponentSpec, build
from synth.errors import ComponentError, VectorsError
from synth.generators.rendered import Rendered
from synth.rendering.nuisance_ranges import NuisanceRanges


def unit_vectors(count):
    vectors = np.random.default_rng(21).standard_normal((count, 512)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


VECTORS = np.repeat(unit_vectors(2), 2, axis=0)
INDICES = np.array([0, 1, 0, 1], dtype=np.int32)
SEEDS = np.array([5, 2**63 + 1, 7, 8], dtype=np.uint64)


@pytest.fixture(scope="module")
def generator():
    return Rendered()


@pytest.fixture(scope="module")
def generated(generator):
    return generator.generate(VECTORS, INDICES, SEEDS)


def test_pictures_and_truth_have_the_declared_types(generated):
    assert generated.images.shape == (4, 112, 112, 3)
    assert generated.images.dtype == np.uint8
    assert set(generated.truth) == set(Rendered.truth)
    for name, column in Rendered.truth.items():
        values = generated.truth[name]
        assert values.shape == ((4,) if column.width == 1 else (4, column.width))
        assert values.dtype.kind == {"float32": "f", "bool": "b", "str": "U"}[column.dtype]


def test_batch_composition_does_not_matter(generated):
    order = np.array([3, 0, 2])
    again = Rendered().generate(VECTORS[order], INDICES[order], SEEDS[order])
    assert np.array_equal(again.images, generated.images[order])
    for name, values in again.truth.items():
        assert np.array_equal(values, generated.truth[name][order])


def test_another_process_gives_the_same_bytes(generated):
    code = (
        "import sys, numpy as np\n"
        "from tests.synth.generators.test_rendered import INDICES, SEEDS, VECTORS\n"
        "from synth.generators.rendered import Rendered\n"
        "images = Rendered().generate(VECTORS[:1], INDICES[:1], SEEDS[:1]).images\n"
        "sys.stdout.buffer.write(images.tobytes())\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert result.stdout == generated.images[:1].tobytes()


def test_another_seed_gives_another_picture(generator, generated):
    other = generator.generate(VECTORS[:1], INDICES[:1], SEEDS[:1] + np.uint64(1)).images
    assert abs(other.astype(int) - generated.images[:1]).mean() > 5


def test_identity_truth_is_the_vectors_alone(generated):
    for name in ("male", "skin_tone", "hair_style", "ancestry_asian"):
        values = generated.truth[name]
        assert values[0] == values[1]
        assert values[2] == values[3]
    assert generated.truth["skin_tone"][0] != generated.truth["skin_tone"][2]


def test_ancestries_sum_to_one(generated):
    total = sum(generated.truth[f"ancestry_{name}"] for name in ("african", "asian", "caucasian"))
    assert total == pytest.approx(1, abs=1e-5)


def test_global_random_state_is_left_alone(generator):
    np.random.seed(1)  # noqa: NPY002
    random.seed(1)
    expected = np.random.random(), random.random()  # noqa: NPY002
    np.random.seed(1)  # noqa: NPY002
    random.seed(1)
    generator.generate(VECTORS[:1], INDICES[:1], SEEDS[:1])
    assert (np.random.random(), random.random()) == expected  # noqa: NPY002


def test_vectors_of_another_size_are_refused(generator):
    with pytest.raises(VectorsError, match="512"):
        generator.generate(np.ones((2, 128), np.float32), INDICES[:2], SEEDS[:2])


@pytest.mark.parametrize("factor", [0.5, 20.0, np.nan])
def test_vectors_that_are_not_unit_are_refused_by_row(generator, factor):
    vectors = VECTORS[:2].copy()
    vectors[1] *= np.float32(factor)
    with pytest.raises(VectorsError, match="vector 1"):
        generator.generate(vectors, INDICES[:2], SEEDS[:2])


def test_options_are_checked_by_name():
    with pytest.raises(ComponentError, match=r"Rendered\.size"):
        build(ComponentSpec("generator", "rendered", {"size": 64}))
    with pytest.raises(ComponentError, match="framing"):
        build(ComponentSpec("generator", "rendered", {"framing": "square"}))
    with pytest.raises(ComponentError, match="hat_rte"):
        build(ComponentSpec("generator", "rendered", {"nuisance": {"hat_rte": 0.1}}))


def test_ranges_can_be_set_from_a_configuration():
    built = build(ComponentSpec("generator", "rendered", {"size": 128, "nuisance": {"hat_rate": 1.0}}))
    assert built.nuisance == NuisanceRanges(hat_rate=1.0)
    assert built.size == 128


def test_age_drift_never_shows_anyone_below_eighteen():
    generator = Rendered(nuisance=NuisanceRanges(age_drift_sd_years=60.0))
    seeds = np.arange(6, dtype=np.uint64)
    made = generator.generate(np.repeat(VECTORS[:1], 6, axis=0), np.arange(6, dtype=np.int32), seeds)
    ages = made.truth["age_years"]
    assert ages.min() == 18.0
    assert ages.max() > 40.0


def test_checking_a_configuration_does_not_set_warp_up():
    code = (
        "import sys; from synth.components import ComponentSpec, check; "
        "check(ComponentSpec('generator', 'rendered', {'size': 128})); sys.exit('warp' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
