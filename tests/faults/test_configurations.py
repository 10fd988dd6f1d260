"""Altered configurations are valid or refused with a place; single mistakes are in tests/pipelines/test_config.py."""

import pytest

from pipelines.config import parse_config
from tests.faults.mutations import fault_of, mutated
from tests.toy import CONFIG


def test_forty_altered_configurations_are_valid_or_refused_with_a_place():
    texts = list(mutated(40))
    faults = {text: fault for text in texts if (fault := fault_of(text)) is not None}

    assert faults == {}
    assert len(set(texts)) > 35


def test_a_fault_of_judging_would_be_seen():
    assert fault_of(CONFIG) is None
    assert fault_of(CONFIG.replace("seed: 7", "seed: x")) is None
    with pytest.raises(TypeError):
        parse_config(None, "toy.yaml")
    assert fault_of(None).startswith("TypeError")


def test_an_override_changes_one_of_two_places_that_share_an_alias():
    text = CONFIG.replace(
        "filters:\n  - {type: detection, min: 0.5}\n  - {type: vector_similarity, min: 0.5}\n",
        "filters:\n  - {type: detection, min: &low 0.5}\n  - {type: vector_similarity, min: *low}\n",
    )

    config = parse_config(text, "toy.yaml", ["filters.0.min=0.25"])

    assert [section.min for section in config.filters[:2]] == [0.25, 0.5]
