"""Identities that the filters leave short of images get further candidates."""

import json
import shutil

import numpy as np
import pytest

from pipelines.run_directory import RunDirectory
from synth.errors import ConfigError, RunError
from synth.shards.table import read_table
from synth.similarity import unit
from tests.toy import CONFIG, inodes, kill, run_toy, start_driver, tree, wait_for_attempt

# Of three candidates a black one is dropped in each round, and noise lets others fail.
ROUNDS = (
    "images.max_rounds=3",
    "images.per_identity=3",
    "generator.black_every=3",
    "generator.noise=0.8",
    "filters.1.min=0.76",
    "selection.min_images_per_identity=1",
    "selection.images_per_identity=2",
)


def of_run(path, *overrides, **options):
    """Makes a run in a folder of one name, which the card shows."""
    run, result = run_toy(path / "toy", *ROUNDS, *overrides, **options)
    return run, result


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return of_run(tmp_path_factory.mktemp("rounds"))[0]


def table(run, stage, name="samples.parquet", columns=None):
    parts = [read_table(path / name, columns) for path in run.shards(stage) if (path / name).exists()]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def kept_of(run):
    decisions = table(run, "select", "decisions.parquet")
    return np.bincount(decisions["identity"], weights=decisions["kept"]).astype(int)


def test_only_identities_that_are_short_get_further_candidates_and_indices_go_on(run, tmp_path):
    first = table(run, "measure", "samples.parquet")
    first = {name: column[first["index"] < 3] for name, column in first.items()}
    passed = first["found"] & (first["vector_similarity"] >= 0.76) & (first["near_duplicate"] <= 0.999)
    short = np.flatnonzero(np.bincount(first["identity"], weights=passed) < 2)
    assert 0 < len(short) < 10

    second = [read_table(path / "samples.parquet") for path in run.shards("generate") if "1000000" <= path.name < "2"]

    assert sorted({i for part in second for i in part["identity"].tolist()}) == short.tolist()
    assert {i for part in second for i in part["index"].tolist()} == {3, 4, 5}
    assert kept_of(run).sum() > passed.sum()


def test_candidates_of_all_rounds_are_decided_together_in_the_order_of_their_indices(run):
    decisions = table(run, "select", "decisions.parquet")

    order = np.lexsort((decisions["index"], decisions["identity"]))
    assert (order == np.arange(len(order))).all()
    assert kept_of(run).max() == 2
    exported = table(run, "export", "samples.parquet", ["identity", "index", "seed", "embedding"])
    made = table(run, "generate", "samples.parquet", ["identity", "index", "seed"])
    seeds = dict(zip(zip(made["identity"].tolist(), made["index"].tolist(), strict=True), made["seed"], strict=True))
    keys = zip(exported["identity"].tolist(), exported["index"].tolist(), strict=True)
    assert [seeds[key] for key in keys] == exported["seed"].tolist()
    assert exported["index"].max() > 2


def test_a_filter_sees_the_candidates_of_earlier_rounds(run):
    faces = table(run, "measure", "samples.parquet", ["identity", "index", "found", "embedding", "near_duplicate"])
    later = np.flatnonzero(faces["found"] & (faces["index"] == 3))
    assert len(later)
    embeddings = unit(faces["embedding"].astype(np.float32))

    for row in later.tolist():
        before = (faces["identity"] == faces["identity"][row]) & faces["found"] & (faces["index"] < 3)
        expected = (embeddings[before] @ embeddings[row]).max()
        assert faces["near_duplicate"][row] == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("options", [{"overlap": False}, {"workers": 3}, {"workers": 2, "overlap": False}])
def test_rounds_give_the_same_bytes_however_they_are_run(run, tmp_path, options):
    other, _ = of_run(tmp_path, **options)

    assert tree(other.root) == tree(run.root)


def test_more_rounds_go_on_with_a_finished_run(run, tmp_path):
    of_run(tmp_path, "images.max_rounds=1")
    before = inodes(tmp_path / "toy", "generate")

    other, _ = of_run(tmp_path)

    assert tree(other.root) == tree(run.root)
    assert before.items() <= inodes(tmp_path / "toy", "generate").items()


def test_a_run_killed_between_rounds_ends_with_the_same_bytes(run, tmp_path):
    shutil.copytree(run.root, tmp_path / "toy")
    other = RunDirectory(tmp_path / "toy")
    for stage, shard in (("generate", 2000001), ("measure", 2000001), ("measure", 1000002), ("select", 0)):
        shutil.rmtree(other.shard(stage, shard))

    of_run(tmp_path)

    assert tree(other.root) == tree(run.root)


def test_a_driver_killed_while_it_makes_a_later_round_leaves_a_run_that_goes_on(run, tmp_path):
    config = tmp_path / "toy.yaml"
    config.write_text(CONFIG)
    sets = [part for override in ROUNDS for part in ("--set", override)]
    driver = start_driver(config, tmp_path / "toy", *sets)
    assert wait_for_attempt(driver, tmp_path / "toy", "measure")
    kill(driver.pid)
    driver.communicate()

    other, _ = of_run(tmp_path)

    assert tree(other.root) == tree(run.root)


def test_other_bounds_make_the_later_rounds_again_and_leave_the_first(run, tmp_path):
    shutil.copytree(run.root, tmp_path / "one" / "toy")
    first = inodes(tmp_path / "one" / "toy", "generate")

    changed, _ = of_run(tmp_path / "one", "filters.1.min=0.7")

    fresh, _ = of_run(tmp_path / "two", "filters.1.min=0.7")
    assert tree(changed.root) == tree(fresh.root)
    assert first.items() <= inodes(changed.root, "generate").items()


def test_a_filter_without_bounds_that_is_added_later_makes_no_image_again(run, tmp_path):
    shutil.copytree(run.root, tmp_path / "one" / "toy")
    images = {path: path.stat().st_ino for path in (tmp_path / "one" / "toy" / "generate").glob("*/images.tar")}
    more = 'filters=[{"type":"detection","min":0.5},{"type":"vector_similarity","min":0.76},'
    more += '{"type":"near_duplicate","max":0.999},{"type":"sharpness"}]'

    changed, _ = of_run(tmp_path / "one", more)

    fresh, _ = of_run(tmp_path / "two", more)
    assert tree(changed.root) == tree(fresh.root)
    assert images == {path: path.stat().st_ino for path in (changed.root / "generate").glob("*/images.tar")}


def test_fewer_rounds_than_a_run_holds_are_refused(run, tmp_path):
    shutil.copytree(run.root, tmp_path / "toy")

    with pytest.raises(RunError, match=r"holds 3 rounds of candidates, the configuration says images.max_rounds=2"):
        of_run(tmp_path, "images.max_rounds=2")


def test_a_quota_may_be_met_in_several_rounds_but_not_exceed_them_all(tmp_path):
    with pytest.raises(ConfigError, match=r"10 are more than the 9 of images.per_identity \* images.max_rounds"):
        of_run(tmp_path, "selection.images_per_identity=10")


def test_shortfalls_say_who_lacks_how_many_images_and_why(tmp_path):
    run, _ = of_run(tmp_path, "images.max_rounds=1", "selection.max_inter_class_similarity=1.0")

    short = table(run, "select", "shortfalls.parquet")

    kept = kept_of(run)
    assert short["identity"].tolist() == np.flatnonzero(kept < 2).tolist()
    assert (short["kept"] + short["missing"] == 2).all()
    assert (short["candidates"] == 3).all()
    assert set(short["dropped_by"]) <= {"detection", "vector_similarity", "min_images_per_identity"}
    counts = json.loads((run.shard("select", 0) / "shard.json").read_text())["counts"]
    assert counts["short"] == len(short["identity"])


def test_where_nobody_is_short_later_rounds_make_nothing(tmp_path):
    run, result = of_run(tmp_path, "generator.noise=0.1", "filters.1.min=0.1")

    assert result.samples == 20
    assert [path.name for path in run.shards("generate")[-1].iterdir()] == ["shard.json"]
