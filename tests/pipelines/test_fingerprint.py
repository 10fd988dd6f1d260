import numpy as np
import pytest

from pipelines.config import parse_config
from pipelines.fingerprint import STAGES, fingerprints
from tests.toy import CONFIG


def changed_stages(text, *overrides):
    """Returns the stages whose own inputs differ from the toy's."""
    before, after = fingerprints(parse_config(CONFIG, "a")), fingerprints(parse_config(text, "b", overrides))
    return [stage for stage in STAGES if before[stage].inputs != after[stage].inputs]


@pytest.mark.parametrize(
    ("override", "stages"),
    [
        ("seed=8", ["sample"]),
        ("identities.sampler.max_similarity=0.5", ["sample"]),
        ("identities.count=11", ["select"]),
        ("generator.noise=0.1", ["generate"]),
        ("images.quality=90", ["generate"]),
        ("images.identities_per_shard=5", ["generate"]),
        ("filters.0.type=sharpness", ["measure", "select"]),
        ("filters.0.min=0.6", ["select"]),
        ("selection.images_per_identity=3", ["select"]),
        ("selection.main_cluster={min_similarity: 0.5, min_samples: 2}", ["select"]),
        ("selection.twin_to_drop=smaller", ["select"]),
        ("selection.balance={column: truth_yaw, edges: [0], max_identities: 3}", ["select"]),
        ("export.crop=generated", ["export"]),
    ],
)
def test_a_key_belongs_to_the_stage_that_reads_it(override, stages):
    assert changed_stages(CONFIG, override) == stages


def test_a_change_reaches_all_stages_behind_it_and_none_before():
    before = fingerprints(parse_config(CONFIG, "a"))
    after = fingerprints(parse_config(CONFIG, "b", ["generator.noise=0.1"]))

    same = [stage for stage in STAGES if before[stage].digest == after[stage].digest]

    assert same == ["sample"]


def test_the_order_of_filters_matters_to_the_selection_only():
    lines = CONFIG.splitlines(keepends=True)
    lines[8], lines[10] = lines[10], lines[8]

    assert changed_stages("".join(lines)) == ["select"]


def test_a_vector_file_counts_by_content_and_not_by_path(tmp_path):
    def prints(path):
        return fingerprints(
            parse_config(CONFIG.replace("gaussian, dimension: 32", f"from_file, path: {path}"), "toy.yaml")
        )["sample"]

    vectors = np.eye(32, dtype=np.float32)
    for name, rows in (("a.npy", vectors), ("b.npy", vectors), ("c.npy", vectors[::-1])):
        np.save(tmp_path / name, rows)

    a, b, c = (prints(tmp_path / name) for name in ("a.npy", "b.npy", "c.npy"))

    assert a == b
    assert a.digest != c.digest


def test_differences_name_key_and_both_values():
    before = fingerprints(parse_config(CONFIG, "a"))["generate"]
    after = fingerprints(parse_config(CONFIG, "b", ["images.quality=90", "generator.noise=0.1"]))["generate"]

    assert after.differences(before.inputs) == ["generator.noise=absent, now 0.1", "images.quality=95, now 90"]


def test_limits_of_the_selection_that_came_later_count_only_where_they_are_set():
    unset = [
        "selection.main_cluster=null",
        "selection.balance=null",
        "selection.twin_to_drop=later",
        "selection.images_per_identity=null",
    ]

    inputs = fingerprints(parse_config(CONFIG, "a", unset))["select"].inputs

    assert {key for key in inputs if key.startswith("selection.")} == {
        "selection.images_per_identity",
        "selection.min_images_per_identity",
        "selection.max_inter_class_similarity",
    }
