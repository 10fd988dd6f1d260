"""Copies of a picture in another class, among many strangers whose pictures happen to look alike."""

import numpy as np

from pipelines.auditing.comparison import compare
from pipelines.auditing.duplicates import audit_duplicates
from synth.similarity import unit
from tests.pipelines.auditing.made_up import NoPictures, material_of, scan_of
from tests.synth.audits.crowds import crowd

STRANGERS = 60  # pairs whose hashes are 3 bits apart: more than audit.json lists
OTHERS = 100  # classes of three, so that there are thresholds


def audited(*, planted):
    """Audits strangers whose pictures look alike and one pair whose hashes are 4 bits apart, of one face or two."""
    random = np.random.default_rng(0)
    hashes = np.repeat(random.random((STRANGERS + 1, 64)) < 0.5, 2, axis=0)
    hashes[1::2, :3] ^= True
    hashes[-1, 3] ^= True
    hashes = np.concatenate([random.random((3 * OTHERS, 64)) < 0.5, hashes])
    labels = np.concatenate([np.arange(OTHERS).repeat(3), OTHERS + np.arange(2 * STRANGERS + 2)])
    embeddings = crowd(labels.max() + 1, 3)[0][labels * 3 + np.arange(len(labels)) % 3]
    if planted:
        embeddings[-1] = unit(embeddings[-2:-1] + 0.01)[0]
    material = material_of(embeddings, labels)
    audit = audit_duplicates(material, compare(material.drawn, seed=0), scan_of(hashes), NoPictures())
    (check,) = [check for check in audit.checks if check.name == "nearly the same picture in two classes"]
    return check, audit.numbers


def test_a_planted_copy_is_found_behind_closer_strangers_and_listed_first():
    check, numbers = audited(planted=True)

    assert check.status == "warn"
    assert "61 pairs among 422 drawn images; the recogniser takes 1 of them for one face as well" in check.says
    first, second = numbers["closest_pictures"][:2]
    assert first["samples"] == ["00000420_0000", "00000421_0000"]
    assert (first["bits"], second["bits"]) == (4, 3)
    assert first["similarity"] > 0.95
    assert len(numbers["closest_pictures"]) == 50


def test_strangers_whose_pictures_look_alike_are_no_copies():
    check, numbers = audited(planted=False)

    assert check.status == "ok"
    assert numbers["similar_pictures_across_classes"] == 61
    assert numbers["similar_pictures_of_one_face"] == 0
