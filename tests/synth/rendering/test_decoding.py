from dataclasses import replace

import numpy as np
import pytest

from synth.rendering.attributes import Attributes
from synth.rendering.decoding import decode_attributes
from synth.rendering.prior import IdentityPrior
from tests.synth.rendering.vectors import close_vector, random_vectors


@pytest.fixture(scope="module")
def people() -> list[Attributes]:
    return [decode_attributes(vector) for vector in random_vectors(400)]


def test_everyone_is_an_adult(people):
    ages = [person.age_years for person in people]
    assert min(ages) >= 18
    assert max(ages) <= 80
    assert 32 < np.median(ages) < 48


def test_half_the_people_present_male_and_few_are_in_between(people):
    male = np.array([person.male for person in people])
    assert 0.42 < np.mean(male > 0.5) < 0.58
    assert np.mean((male > 0.2) & (male < 0.8)) < 0.35


def test_ancestry_is_a_mixture_with_every_part_dominant_in_a_third(people):
    mix = np.array([[person.african, person.asian, person.caucasian] for person in people])
    np.testing.assert_allclose(mix.sum(axis=1), 1)
    shares = np.bincount(mix.argmax(axis=1), minlength=3) / len(mix)
    assert shares.min() > 0.25


def test_melanin_follows_ancestry(people):
    african = [person.skin.melanin for person in people if person.african > 0.9]
    caucasian = [person.skin.melanin for person in people if person.caucasian > 0.9]
    assert np.mean(african) > 0.55
    assert np.mean(caucasian) < 0.25


def test_skin_tone_falls_with_melanin(people):
    melanin = [person.skin.melanin for person in people]
    tone = [person.skin.tone for person in people]
    assert np.corrcoef(melanin, tone)[0, 1] < -0.9


def test_beards_grow_on_male_faces_only(people):
    kinds = {person.beard.kind for person in people if person.male <= 0.5}
    assert kinds == {"clean"}
    grown = np.mean([person.beard.kind != "clean" for person in people if person.male > 0.5])
    assert 0.5 < grown < 0.75


def test_all_hair_styles_occur_and_no_young_person_is_bald(people):
    assert len({person.hair.style for person in people}) == 12
    assert min(person.age_years for person in people if person.hair.style == "bald") >= 36


def test_grey_hair_comes_with_age(people):
    assert all(person.hair.grey == 0 for person in people if person.age_years < 40)
    assert np.mean([person.hair.grey > 0.1 for person in people if person.age_years > 65]) > 0.6


def test_close_vectors_give_close_numbers(people):
    for vector, person in zip(random_vectors(40), people[:40], strict=True):
        near = decode_attributes(close_vector(vector, 0.995))
        assert abs(near.age_years - person.age_years) < 9
        assert abs(near.skin.melanin - person.skin.melanin) < 0.12
        assert abs(near.brows.thickness - person.brows.thickness) < 0.012
        assert np.abs(near.hair.colour - person.hair.colour).max() < 0.15


def test_same_vector_same_person():
    vector = random_vectors(1)[0]
    assert repr(decode_attributes(vector)) == repr(decode_attributes(vector.copy()))


def test_the_prior_scales_what_it_names():
    vector = random_vectors(1)[0]
    wide = decode_attributes(vector, replace(IdentityPrior(), ancestry_temperature=50.0))
    assert max(wide.african, wide.asian, wide.caucasian) > 0.95
