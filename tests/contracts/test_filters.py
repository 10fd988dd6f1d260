"""What every filter in the folder promises."""

from dataclasses import fields

import numpy as np
import pytest

from filters.base import Filter
from synth.components import ComponentSpec, available, build
from synth.types import FaceBatch, Faces
from tests.filters.batches import batch

FILTERS = available("filter")


def several_identities():
    """Three identities of four samples, one face of which was not found."""
    random = np.random.default_rng(0)
    identities = np.repeat([4, 7, 9], 4)
    return batch(
        random.standard_normal((3, 16))[np.repeat(np.arange(3), 4)] + 0.5 * random.standard_normal((12, 16)),
        identities=identities,
        indices=np.tile(np.arange(4), 3),
        found=np.arange(12) != 5,
        scores=random.uniform(0.5, 1, 12),
        counts=random.integers(1, 3, 12),
        boxes=np.concatenate([random.uniform(0, 20, (12, 2)), random.uniform(60, 112, (12, 2))], axis=1),
        aligned=random.integers(0, 256, (12, 112, 112, 3)),
        vectors=random.standard_normal((12, 16)),
    )


def rows(faces, order):
    inner = Faces(**{field.name: getattr(faces.faces, field.name)[order] for field in fields(Faces)})
    outer = {field.name: getattr(faces, field.name)[order] for field in fields(FaceBatch) if field.name != "faces"}
    return FaceBatch(**outer, faces=inner)


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_gives_one_float32_a_sample(name):
    numbers = build(ComponentSpec("filter", name)).measure(several_identities())

    assert numbers.dtype == np.float32
    assert numbers.shape == (12,)


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_is_nan_where_there_is_no_face_and_a_number_elsewhere(name):
    faces = several_identities()

    numbers = build(ComponentSpec("filter", name)).measure(faces)

    assert np.array_equal(np.isnan(numbers), ~faces.faces.found)


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_does_not_look_at_other_identities(name):
    faces = several_identities()
    measure = build(ComponentSpec("filter", name)).measure

    together = measure(faces)

    for identity in (4, 7, 9):
        own = np.flatnonzero(faces.identities == identity)
        assert np.array_equal(measure(rows(faces, own)), together[own], equal_nan=True)


@pytest.mark.parametrize("name", FILTERS)
def test_the_order_of_identities_does_not_matter(name):
    faces = several_identities()
    order = np.r_[8:12, 0:4, 4:8]
    measure = build(ComponentSpec("filter", name)).measure

    assert np.array_equal(measure(rows(faces, order)), measure(faces)[order], equal_nan=True)


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_takes_a_batch_without_samples(name):
    assert build(ComponentSpec("filter", name)).measure(rows(several_identities(), slice(0))).shape == (0,)


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_takes_bounds_and_names_its_unit(name):
    chosen: Filter = build(ComponentSpec("filter", name, {"min": 0.25, "max": 0.75}))

    assert (chosen.min, chosen.max) == (0.25, 0.75)
    assert chosen.unit
    assert chosen.version >= 1
