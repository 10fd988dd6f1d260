"""What every generator in the folder promises, with tiny random weights in its published layout."""

import inspect
import random
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from synth.components import available, build, resolve
from synth.errors import VectorsError, WeightsError
from synth.weights.conversion import convert
from tests.tiny_weights import VARIANTS, generator_spec

PUBLISHED = [
    name for name in VARIANTS if "weights" in inspect.signature(resolve("generator", name.partition(" ")[0])).parameters
]
PICKLES = {".pth", ".ckpt", ".bin", ".pt"}
COUNT = 4
INDICES = np.array([0, 1, 0, 1], np.int32)
SEEDS = np.array([11, 2**62 + 12, 13, 14], np.uint64)


@pytest.fixture(scope="module", params=VARIANTS)
def spec(request, tmp_path_factory):
    return generator_spec(request.param, tmp_path_factory.mktemp("generator") / "weights")


@pytest.fixture(scope="module")
def generator(spec):
    return build(spec)


@pytest.fixture(scope="module")
def vectors(generator):
    return vectors_for(generator)


@pytest.fixture(scope="module")
def generated(generator, vectors):
    return generator.generate(vectors, INDICES, SEEDS)


@pytest.fixture(params=PUBLISHED)
def published(request, tmp_path):
    """A generator's options, and the folder that all its weights are in."""
    return generator_spec(request.param, tmp_path / "weights"), tmp_path / "weights"


def vectors_for(generator):
    """Returns two identities of two samples each, in the middle of the lengths that the generator takes."""
    low, high = generator.norm_range
    directions = np.random.default_rng(5).standard_normal((2, generator.vector_size))
    directions *= np.sqrt(low * high) / np.linalg.norm(directions, axis=1, keepdims=True)
    return directions.repeat(2, axis=0).astype(np.float32)


def elsewhere(spec, folder, other):
    """Returns a generator's options with its weights in another folder."""

    def moved(value):
        if isinstance(value, dict):
            return {name: moved(each) for name, each in value.items()}
        return str(other / Path(value).relative_to(folder)) if str(value).startswith(str(folder)) else value

    return replace(spec, options=moved(spec.options))


def renamed(options, path, other):
    """Returns options with one path in place of another, in groups as well."""
    return {
        name: renamed(value, path, other) if isinstance(value, dict) else other if value == path else value
        for name, value in options.items()
    }


def weight_files(spec):
    return [file.path for file in resolve("generator", spec.type).weight_files(spec.options)]


def images_of(spec):
    generator = build(spec)
    return generator.generate(vectors_for(generator), INDICES, SEEDS).images


def test_no_generator_of_the_folder_is_left_out():
    assert set(available("generator")) == {name.partition(" ")[0] for name in VARIANTS}
    assert {"arc2face", "idiff", "vec2face"} <= set(PUBLISHED)


def test_images_are_rgb_bytes_of_one_size(generated):
    assert generated.images.dtype == np.uint8
    assert generated.images.ndim == 4
    assert generated.images.shape[0] == COUNT
    assert generated.images.shape[3] == 3
    assert all(image.std() > 1 for image in generated.images)


def test_truth_is_as_declared(generator, generated):
    assert set(generated.truth) == set(generator.truth)
    for name, column in generator.truth.items():
        column.check(name, generated.truth[name])
        assert len(generated.truth[name]) == COUNT


def test_the_same_seeds_give_the_same_bytes(spec, generator, vectors, generated):
    for each in (generator, build(spec)):
        again = each.generate(vectors, INDICES, SEEDS)
        assert np.array_equal(again.images, generated.images)
        assert all(np.array_equal(again.truth[name], values) for name, values in generated.truth.items())


def test_another_seed_gives_another_image(generator, vectors, generated):
    again = generator.generate(vectors, INDICES, SEEDS + np.uint64(100))

    for image, other in zip(generated.images, again.images, strict=True):
        assert not np.array_equal(image, other)


def test_another_vector_gives_another_image(generated):
    assert not np.array_equal(generated.images[0], generated.images[2])


@pytest.mark.parametrize("order", [[3, 0, 2, 1], [2], [1, 3]])
def test_a_sample_hardly_depends_on_its_batch(generator, vectors, generated, order):
    again = generator.generate(vectors[order], INDICES[order], SEEDS[order])

    difference = np.abs(again.images.astype(int) - generated.images[order])
    assert difference.max() <= 1
    assert (difference > 0).mean() <= 0.001
    for name, values in generated.truth.items():
        assert np.array_equal(again.truth[name], values[order])


def test_the_callers_random_states_stay(generator, vectors):
    random.seed(3)
    np.random.seed(3)  # noqa: NPY002
    torch.manual_seed(3)
    before = (random.getstate(), np.random.get_state()[1].copy(), torch.get_rng_state())  # noqa: NPY002

    generator.generate(vectors[:1], INDICES[:1], SEEDS[:1])

    assert random.getstate() == before[0]
    assert (np.random.get_state()[1] == before[1]).all()  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), before[2])


def test_building_leaves_the_callers_random_states(spec):
    np.random.seed(3)  # noqa: NPY002
    torch.manual_seed(3)
    before = (np.random.get_state()[1].copy(), torch.get_rng_state())  # noqa: NPY002

    build(spec)

    assert (np.random.get_state()[1] == before[0]).all()  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), before[1])


def test_inputs_stay_as_they_are(generator, vectors):
    given = (vectors.copy(), INDICES.copy(), SEEDS.copy())
    for array in given:
        array.flags.writeable = False  # as in a file that is mapped into memory

    generator.generate(*given)

    assert all(np.array_equal(*pair) for pair in zip(given, (vectors, INDICES, SEEDS), strict=True))


def test_vectors_of_another_size_are_refused(generator, vectors):
    with pytest.raises(VectorsError, match=f"expected \\(B, {generator.vector_size}\\)"):
        generator.generate(vectors[:, 1:], INDICES, SEEDS)


def test_vectors_with_nan_are_refused(generator, vectors):
    spoilt = vectors.copy()
    spoilt[2, 7] = np.nan

    with pytest.raises(VectorsError, match="vector 2 has length nan"):
        generator.generate(spoilt, INDICES, SEEDS)


def test_vectors_of_another_norm_are_refused_with_the_way_out(generator, vectors):
    low, high = generator.norm_range
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    way_out = "divide them by their length" if generator.vector_norm == "unit" else "do not normalise"

    for length in (0.5 * low, 1.5 * high):
        with pytest.raises(VectorsError, match=rf"vector 0 has length [\d.]+, expected {low:g} to {high:g}; {way_out}"):
            generator.generate((vectors * length / lengths).astype(np.float32), INDICES, SEEDS)


def test_options_that_need_no_weights_list_none(spec):
    assert (weight_files(spec) == []) == (spec.type not in PUBLISHED)


def test_the_listed_weight_files_are_all_it_reads(published, tmp_path):
    spec, folder = published
    for path in weight_files(spec):
        copy = tmp_path / "copy" / path.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)

    moved = elsewhere(spec, folder, tmp_path / "copy")

    assert np.array_equal(images_of(moved), images_of(spec))


def test_each_listed_weight_file_is_missed_by_name(published):
    spec, _ = published
    assert weight_files(spec)
    for path in weight_files(spec):
        path.rename(path.with_name("away"))
        if path not in weight_files(spec):  # it is read only where there is one
            path.with_name("away").rename(path)
            continue

        with pytest.raises(WeightsError, match=f"{path}: missing"):
            build(spec)

        path.with_name("away").rename(path)


def test_a_half_downloaded_weight_file_is_told(published):
    spec, _ = published
    path = max(weight_files(spec), key=lambda path: path.stat().st_size)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with pytest.raises(WeightsError, match=f"{path}: "):
        build(spec)


def test_each_weight_file_says_where_it_comes_from_and_on_what_terms(published):
    spec, _ = published
    for file in resolve("generator", spec.type).weight_files(spec.options):
        assert file.origin
        assert file.license
        assert (file.repo is None) == (file.name == "")


def test_a_checkpoint_with_other_tensors_is_refused(published):
    spec, _ = published
    path = next(path for path in weight_files(spec) if path.suffix in PICKLES)
    torch.save({"weight": torch.ones(3)}, path)

    with pytest.raises(WeightsError, match=f"{path}: "):
        build(spec)


def test_converted_checkpoints_give_the_same_images(published):
    spec, _ = published
    before = images_of(spec)
    options = dict(spec.options)
    for path in weight_files(spec):
        if path.suffix not in PICKLES:
            continue
        name = "model" if path.name == "pytorch_model.bin" else path.stem  # transformers' name of either kind
        converted = path.with_name(f"{name}.safetensors")
        convert(path, converted)
        path.unlink()
        options = renamed(options, str(path), str(converted))

    assert np.array_equal(images_of(replace(spec, options=options)), before)
