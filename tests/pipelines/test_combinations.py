"""Vectors, generator and recogniser of the configurations that come with synth, set at odds; no weights are there."""

import numpy as np
import pytest

from pipelines.config import load_config, parse_config
from synth.errors import ConfigError
from synth.generators.base import TruthColumn
from synth.vectors.statistics import fit_statistics
from synth.vectors.statistics_files import write_statistics
from tests.fakes import PaintedVector
from tests.toy import CONFIG, ROOT

GAUSSIAN = "identities.sampler={type: gaussian, dimension: %s}"


class TruthNamedKey(PaintedVector):
    """Knows something under a name that tables with images need for themselves."""

    truth = {"key": TruthColumn("float32")}  # noqa: RUF012


def mistakes(name, *overrides):
    with pytest.raises(ConfigError) as caught:
        load_config(ROOT / "configs" / f"{name}.yaml", overrides)
    return str(caught.value).splitlines()


@pytest.mark.parametrize("name", ["arc2face_500k", "idiff_500k", "vec2face_10m", "demo"])
def test_configurations_that_come_with_synth_have_no_mistakes(name):
    load_config(ROOT / "configs" / f"{name}.yaml")


def test_vectors_of_another_space_are_refused_with_what_is_wanted():
    told, *_ = mistakes("arc2face_500k", GAUSSIAN % "512, space: antelopev2")

    assert told == (
        "--set: identities.sampler: makes vectors of space 'antelopev2', Arc2Face takes vectors of space "
        "'arcface_webface42m' (ArcFace IR-100 trained on WebFace42M, 512-D: arcface.onnx of FoivosPar/Arc2Face); "
        "vectors of another network are unrelated numbers to it"
    )


def test_truth_with_the_name_of_a_column_of_every_dataset_is_refused():
    text = CONFIG.replace("tests.fakes.PaintedVector", "tests.pipelines.test_combinations.TruthNamedKey")

    with pytest.raises(ConfigError, match=r"its truth columns \['key'\] are names of filters or of our own metadata"):
        parse_config(text, "toy.yaml")


def test_directions_of_no_space_must_be_declared_to_be_of_one():
    (told,) = mistakes("idiff_500k", GAUSSIAN % "512", "filters=[]")

    assert told.endswith("; declare `space: elasticface_ms1mv2` if they are meant for it")
    load_config(ROOT / "configs" / "idiff_500k.yaml", [GAUSSIAN % "512, space: elasticface_ms1mv2", "filters=[]"])


def test_unit_vectors_are_refused_where_lengths_carry_meaning():
    (told,) = mistakes("vec2face_10m", GAUSSIAN % "512, space: arcface_glint360k")

    assert "makes vectors of unit norm, Vec2Face takes raw norm: vectors of their own lengths, 8 to 60" in told


def test_raw_vectors_are_refused_where_unit_ones_are_wanted():
    (told,) = mistakes("idiff_500k", GAUSSIAN % "512, space: elasticface_ms1mv2, norm: raw")

    assert "makes vectors of raw norm, Idiff takes unit norm: vectors of length 1" in told


def test_vectors_of_another_size_are_refused():
    (told,) = mistakes("idiff_500k", GAUSSIAN % "128, space: elasticface_ms1mv2")

    assert "makes vectors of 128 numbers, Idiff takes 512" in told


@pytest.mark.parametrize(
    ("name", "recogniser", "space"),
    [
        ("vec2face_10m", "{type: yunet_sface}", "sface"),
        ("vec2face_10m", "{type: iresnet, weights: a.pth, space: elasticface_ms1mv2}", "elasticface_ms1mv2"),
        ("vec2face_10m", "{type: insightface_pack, weights: a, recognition: glintr100.onnx}", "antelopev2"),
        ("arc2face_500k", "{type: insightface_pack, weights: a, recognition: glintr100.onnx}", "antelopev2"),
    ],
)
def test_a_recogniser_of_another_space_cannot_compare_with_vectors(name, recogniser, space):
    (told,) = mistakes(name, f"recogniser={recogniser}")

    assert f"(space '{space}'); both must live in one space: remove it or change the recogniser" in told
    assert "vector_similarity compares identity vectors" in told


def test_a_recogniser_of_another_space_may_judge_where_nothing_compares():
    load_config(ROOT / "configs" / "vec2face_10m.yaml", ["recogniser={type: yunet_sface}", "filters=[]"])


def test_a_recogniser_whose_space_nobody_knows_must_name_it():
    (told,) = mistakes("arc2face_500k", "recogniser={type: insightface_pack, weights: a, recognition: mine.onnx}")

    assert "recogniser: space: mine.onnx does not say into which space it embeds; name that space" in told


def test_statistics_bring_their_space(tmp_path):
    vectors = np.random.default_rng(1).standard_normal((600, 512)).astype(np.float32)
    write_statistics(tmp_path / "a.npz", fit_statistics([vectors], space="buffalo_l"))

    told = mistakes("arc2face_500k", f"identities.sampler.statistics={tmp_path}/a.npz")

    assert any("makes vectors of space 'buffalo_l', Arc2Face takes" in line for line in told)


@pytest.mark.parametrize(
    ("override", "told"),
    [
        (
            "main_cluster={min_similarity: 0.5, min_samples: 14}",
            "main_cluster.min_samples: 14 are more than the 13 of images.per_identity; all would be dropped",
        ),
        ("balance={column: truth_beard}", "balance: needs one limit, max_identities or max_share"),
        (
            "balance={column: truth_beard, max_identities: 5, max_share: 0.5}",
            "balance: needs one limit, max_identities or max_share",
        ),
        (
            "balance={column: truth_age_years, edges: [60, 20], max_share: 0.5}",
            "balance.edges: must increase, like [20, 40, 60]",
        ),
        (
            "balance={column: truth_male, max_share: 0.5}",
            "balance.column: 'truth_male' holds measurements; cut them into kinds with `edges`",
        ),
        (
            "balance={column: truth_beard, edges: [0.5], max_share: 0.5}",
            "balance.edges: 'truth_beard' holds names, which have no edges; remove them",
        ),
    ],
)
def test_limits_of_the_selection_that_cannot_be_are_named(override, told):
    assert mistakes("demo", f"selection.{override}") == [f"--set: selection.{told}"]


def test_a_rule_for_twins_needs_a_bound_that_says_who_they_are():
    told = mistakes("demo", "selection.max_inter_class_similarity=null", "selection.twin_to_drop=smaller")

    assert told == ["--set: selection.twin_to_drop: says which of two too similar identities goes; set a bound on it"]


def test_a_column_that_the_generator_does_not_know_cannot_be_balanced():
    told, *_ = mistakes("demo", "selection.balance={column: truth_sex, max_share: 0.5}")

    assert told.startswith("--set: selection.balance.column: rendered knows no 'truth_sex', but truth_yaw, truth_pitch")
    assert "truth_landmarks" not in told


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ("identities.count=1000000000000000", "images.identities_per_shard=1"),
            "images.identities_per_shard: 1 makes 1000000000000000 shards, at most 1000000; "
            "raise it, or lower identities.count",
        ),
        (
            ("identities.count=1000000", "export.shard_size=1"),
            "export.shard_size: 1 makes 4000000 shards, at most 1000000; raise it, or lower identities.count",
        ),
    ],
)
def test_more_shards_than_their_names_can_number_are_refused_at_once(overrides, message):
    with pytest.raises(ConfigError) as told:
        parse_config(CONFIG, "toy.yaml", overrides)

    assert any(line.endswith(message) for line in str(told.value).splitlines())


@pytest.mark.parametrize("number", [".nan", ".inf", "-.inf"])
def test_options_that_are_no_finite_numbers_are_refused(number):
    with pytest.raises(ConfigError, match=r"generator.noise: input should be a finite number"):
        parse_config(CONFIG, "toy.yaml", [f"generator.noise={number}"])
