"""The limits of the selection that look at embeddings and at what the generator knows, on toy runs."""

import numpy as np
import pytest

from pipelines.report import write_report
from synth.clusters import main_cluster
from synth.errors import SelectionError
from synth.shards.table import read_table, write_table
from synth.similarity import unit
from tests.toy import run_toy

CLUSTER = ("selection.main_cluster={min_similarity: 0.93, min_samples: 3}", "selection.min_images_per_identity=1")


def decisions(run):
    return read_table(run.shard("select", 0) / "decisions.parquet")


def columns(run, stage, *names):
    parts = [read_table(path / "samples.parquet", names) for path in run.shards(stage)]
    return [np.concatenate([part[name] for part in parts]) for name in names]


def first_kept(table):
    """Returns the first kept row of each kept identity."""
    rows = np.flatnonzero(table["kept"])
    return rows[np.unique(table["identity"][rows], return_index=True)[1]]


def test_images_outside_the_main_cluster_are_dropped_before_the_quota_is_filled(tmp_path):
    run, _ = run_toy(tmp_path / "toy", *CLUSTER)

    table, (embedding,) = decisions(run), columns(run, "measure", "embedding")
    filters = {"detection", "vector_similarity", "near_duplicate"}
    for identity in range(10):
        rows = np.flatnonzero((table["identity"] == identity) & ~np.isin(table["dropped_by"], list(filters)))
        inside = main_cluster(embedding[rows], 0.93, 3)
        assert (table["dropped_by"][rows[~inside]] == "main_cluster").all()
        assert table["kept"][rows[inside]].tolist() == [True] * min(inside.sum(), 4) + [False] * (inside.sum() - 4)
    assert 0 < (table["dropped_by"] == "main_cluster").sum() < 50
    assert "it lies outside the main cluster" in write_report(run.root).read_text()


@pytest.mark.parametrize(("choice", "gone"), [("later", {7, 8}), ("smaller", {2, 8})])
def test_of_two_twins_the_later_or_the_one_with_fewer_images_goes_as_a_whole(tmp_path, choice, gone):
    vectors = unit(np.random.default_rng(0).standard_normal((10, 32)))
    vectors[7] = unit(vectors[2:3] + 0.1 * vectors[7:8])[0]
    vectors[8] = unit(vectors[4:5] + 0.1 * vectors[8:9])[0]
    np.save(tmp_path / "vectors.npy", vectors)
    sampler = f"identities.sampler={{type: from_file, path: {tmp_path}/vectors.npy, space: painted}}"
    run, _ = run_toy(tmp_path / "toy", sampler, until="measure")
    shorten(run, identity=2, count=3)

    run, _ = run_toy(tmp_path / "toy", sampler, f"selection.twin_to_drop={choice}")

    table = decisions(run)
    dropped = table["dropped_by"] == "max_inter_class_similarity"
    assert set(table["identity"][dropped].tolist()) == gone
    assert not gone & set(table["identity"][table["kept"]].tolist())


def shorten(run, identity, count):
    """Lets all but some images of an identity fail."""
    for folder in run.shards("measure"):
        table = read_table(folder / "samples.parquet")
        detection = table["detection"].copy()
        detection[(table["identity"] == identity) & (table["index"] >= count)] = 0.1
        write_table(folder / "samples.parquet", table | {"detection": detection})


def test_a_share_of_the_kept_identities_may_be_of_one_kind(tmp_path):
    plain, _ = run_toy(tmp_path / "plain")
    before = first_kept(decisions(plain))
    is_right = columns(plain, "generate", "truth_yaw")[0][before] >= 0
    more = is_right if is_right.sum() > 5 else ~is_right
    assert more.sum() > 5  # else there is nothing to balance

    run, result = run_toy(tmp_path / "toy", "selection.balance={column: truth_yaw, edges: [0], max_share: 0.5}")

    table = decisions(run)
    staying = np.flatnonzero(more)[: (~more).sum()].tolist() + np.flatnonzero(~more).tolist()
    assert table["identity"][first_kept(table)].tolist() == sorted(staying)
    assert result.identities == 2 * (~more).sum()
    assert set(table["identity"][table["dropped_by"] == "balance"].tolist()) == set(range(10)) - set(staying)
    assert sorted(set(table["label"][table["kept"]].tolist())) == list(range(len(staying)))
    assert "enough identities of its kind were kept before" in write_report(run.root).read_text()


def test_a_number_of_the_kept_identities_may_be_of_one_kind(tmp_path):
    run, _ = run_toy(tmp_path / "toy", "selection.balance={column: truth_yaw, edges: [-15, 15], max_identities: 2}")

    table = decisions(run)
    kinds = np.digitize(columns(run, "generate", "truth_yaw")[0][first_kept(table)], [-15, 15])
    assert np.bincount(kinds).max() == 2
    assert (table["dropped_by"] == "balance").any()


def test_a_share_that_no_number_of_identities_can_keep_ends_the_run(tmp_path):
    with pytest.raises(SelectionError, match="of 2 kinds by truth_yaw, so one kind is at least 1/2 of them; raise"):
        run_toy(tmp_path / "toy", "selection.balance={column: truth_yaw, edges: [0], max_share: 0.3}")
