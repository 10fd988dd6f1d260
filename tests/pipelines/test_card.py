import dataclasses
import re

import pytest
import yaml

from pipelines.card import CardFacts, Quality, card_text, dataset_card, size_category

FACTS = CardFacts(
    name="Painted faces",
    license="cc-by-nc-4.0",
    identities_requested=100,
    images_generated=2000,
    identities_kept=90,
    images_kept=1500,
    dropped={"resolution": 400, "min_images_per_identity": 100},
    image="112x112 aligned faces, JPEG",
    loading="Point a trainer at this folder.",
    metadata_place="`json`",
    sampler="gaussian",
    generator="painted",
    generator_license="cc0-1.0",
    recogniser="reader",
    recogniser_license="apache-2.0",
    seed=7,
    fingerprints={"sample": "aaa", "generate": "bbb"},
    versions={"numpy": "2.4", "synth": "0.1"},
    configuration="seed: 7\ngenerator: {type: painted}\n",
    fields={"resolution": "height of the face box, px", "identity": "number of the identity"},
    tags=("webdataset",),
    quality=Quality(
        num_genuine=5000, num_impostor=60000, genuine_mean=0.61, impostor_mean=0.02, equal_error_rate=0.0123
    ),
)


def test_the_numbers_add_up_in_the_table():
    text = card_text(FACTS)

    assert "| images kept | 1,500 | 75.0% |" in text
    assert "| identities kept | 90 | 90.0% |" in text
    assert "| dropped by `resolution` | 400 | 20.0% |" in text
    assert "| dropped by `min_images_per_identity` | 100 | 5.0% |" in text


def test_the_quality_figures_are_named():
    text = card_text(FACTS)

    assert "| same identity | 5,000 | 0.610 |" in text
    assert "| different identities | 60,000 | 0.020 |" in text
    assert "Equal error rate: 1.23%" in text


def test_without_quality_figures_the_card_says_why():
    assert "Too few samples were kept" in card_text(dataclasses.replace(FACTS, quality=None))


def test_the_sections_a_publisher_is_expected_to_write_are_there():
    headings = re.findall(r"^## (.+)$", card_text(FACTS), flags=re.MULTILINE)

    assert headings == [
        "Load it",
        "How it was made",
        "Numbers",
        "Quality",
        "Fields",
        "Intended and prohibited use",
        "People and the law",
        "Limits",
        "Licences",
        "Reproduce it",
    ]
    assert "**Every image is synthetic.**" in card_text(FACTS)


def test_licences_of_all_models_are_stated_or_said_to_be_unknown():
    assert "- recogniser `reader`: apache-2.0" in card_text(FACTS)
    unknown = dataclasses.replace(FACTS, recogniser_license="")
    assert "- recogniser `reader`: not stated" in card_text(unknown)
    of_weights = {"generator painter": ["MIT", ""], "recogniser reader": ["Apache-2.0; trained on photographs"]}
    text = card_text(dataclasses.replace(unknown, weight_licenses=of_weights))
    assert (
        "- recogniser `reader`: that of its weights\n"
        "- weights of the generator painter: MIT\n"
        "- weights of the generator painter: not stated\n"
        "- weights of the recogniser reader: Apache-2.0; trained on photographs\n"
    ) in text


def test_a_licence_that_the_hub_does_not_know_is_named():
    card = dataset_card(dataclasses.replace(FACTS, license="other", license_name="research-only"))

    assert list(card.front_matter.items())[:2] == [("license", "other"), ("license_name", "research-only")]
    assert "- this dataset: `other: research-only`, the strictest of what follows\n" in card.text
    assert "license_name" not in dataset_card(FACTS).front_matter


def test_vectors_from_a_file_are_not_said_to_be_of_nobody():
    assert "none was computed from a photograph" in card_text(FACTS)
    from_file = card_text(dataclasses.replace(FACTS, sampler="from_file"))
    assert "cannot tell whose they are" in from_file
    assert "none was computed from a photograph" not in from_file


def test_the_exporter_says_how_to_load_and_where_metadata_are():
    with_metadata = card_text(FACTS)
    without = card_text(dataclasses.replace(FACTS, metadata_place="", tags=()))

    assert "## Load it\n\nPoint a trainer at this folder.\n" in with_metadata
    assert "the metadata of every sample says `synthetic: true`" in with_metadata
    assert "Of `json`; floats are always" in with_metadata
    assert "synthetic: true" not in without
    assert "Columns of `samples-*.parquet`." in without
    assert dataset_card(FACTS).front_matter["tags"][-1] == "webdataset"


def test_the_configuration_is_in_the_card_word_for_word():
    text = card_text(FACTS)

    (block,) = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    assert block == FACTS.configuration
    assert "| generate | `bbb` |" in text


def test_the_front_matter_is_what_the_hub_reads():
    card = dataset_card(FACTS).render({"configs": []})

    _, block, text = card.split("---\n", 2)
    fields = yaml.safe_load(block)
    assert fields["license"] == "cc-by-nc-4.0"
    assert fields["size_categories"] == ["1K<n<10K"]
    assert "synthetic" in fields["tags"]
    assert fields["configs"] == []
    assert text.strip().startswith("# Painted faces")


@pytest.mark.parametrize(
    ("count", "name"),
    [(0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (500_000, "100K<n<1M"), (10**7, "10M<n<100M"), (10**9, "n>1B")],
)
def test_size_categories_are_those_of_the_hub(count, name):
    assert size_category(count) == name


def test_an_empty_run_divides_by_nothing():
    empty = dataclasses.replace(FACTS, images_generated=0, images_kept=0, identities_requested=0, identities_kept=0)

    assert "| images kept | 0 |  |" in card_text(empty)
