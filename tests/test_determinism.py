import json
import shutil

import numpy as np
import pytest

from pipelines.config import parse_config
from pipelines.fingerprint import fingerprints
from pipelines.run_directory import RunDirectory
from synth.errors import FingerprintError, RunError
from synth.shards.table import read_table, write_table
from tests.toy import CONFIG, inodes, run_toy, tree


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    run, _ = run_toy(tmp_path_factory.mktemp("finished") / "toy")
    return run.root


@pytest.fixture
def run_dir(finished, tmp_path):
    shutil.copytree(finished, tmp_path / "toy")
    return tmp_path / "toy"


def test_three_workers_make_the_bytes_of_one(finished, tmp_path):
    run, _ = run_toy(tmp_path / "toy", workers=3)

    assert tree(run.root) == tree(finished)


@pytest.mark.parametrize("workers", [1, 2])
def test_one_stage_after_the_other_makes_the_same_bytes(finished, tmp_path, workers):
    run, _ = run_toy(tmp_path / "toy", workers=workers, overlap=False)

    assert tree(run.root) == tree(finished)


def test_a_finished_run_has_nothing_to_do(run_dir):
    before = {path: path.stat().st_mtime_ns for path in run_dir.rglob("*") if path.is_file()}

    _, result = run_toy(run_dir)

    after = {path: path.stat().st_mtime_ns for path in run_dir.rglob("*") if path.is_file()}
    changed = {path.name for path in after if before.get(path) != after[path]}
    assert result.num_made == 0
    assert changed <= {"run.lock"}


def test_another_bound_makes_select_and_export_again_only(run_dir):
    costly = [inodes(run_dir, stage) for stage in ("sample", "generate", "measure")]
    table = read_table(run_dir / "select/000000/decisions.parquet", ["vector_similarity"])
    bound = float(np.nanmedian(table["vector_similarity"]))

    _, result = run_toy(run_dir, f"filters.1.min={bound}", "selection.min_images_per_identity=1")

    decisions = read_table(run_dir / "select/000000/decisions.parquet")
    assert [inodes(run_dir, stage) for stage in ("sample", "generate", "measure")] == costly
    assert (decisions["vector_similarity"][decisions["kept"]] >= bound).all()
    assert 0 < result.samples < 40
    assert len(read_table(run_dir / "dataset/train-000000.parquet")["label"]) > 0


def test_a_changed_bound_ends_where_a_new_run_with_it_ends(run_dir, tmp_path):
    run_toy(run_dir, "selection.images_per_identity=3")

    fresh, _ = run_toy(tmp_path / "other" / "toy", "selection.images_per_identity=3")

    assert tree(run_dir) == tree(fresh.root)


def test_another_export_leaves_the_selection(run_dir):
    before = inodes(run_dir, "select")

    run_toy(run_dir, "export.crop=generated")

    assert inodes(run_dir, "select") == before
    assert json.loads((run_dir / "run.json").read_text())["config"]["export"]["crop"] == "generated"


def test_a_raised_count_keeps_whole_shards_and_ends_where_a_new_run_ends(run_dir, tmp_path):
    before = inodes(run_dir, "generate")

    run_toy(run_dir, "identities.count=14")

    fresh, _ = run_toy(tmp_path / "other" / "toy", "identities.count=14")
    kept = {name: entry for name, entry in inodes(run_dir, "generate").items() if before.get(name) == entry}
    shards = {name.split("/")[-2] for name in kept}
    assert shards == {"000000", "000001", "000002"}
    assert tree(run_dir) == tree(fresh.root)


def test_a_lowered_count_is_refused(run_dir):
    before = tree(run_dir)

    with pytest.raises(RunError, match=r"holds 10 identities.*identities.count=9.*--redo sample"):
        run_toy(run_dir, "identities.count=9")

    assert tree(run_dir) == before


@pytest.mark.parametrize(
    ("override", "stage", "difference"),
    [
        ("seed=8", "sample", "seed=7, now 8"),
        ("images.batch_size=16", "generate", "images.batch_size=8, now 16"),
        ("generator.noise=0.2", "generate", "generator.noise=absent, now 0.2"),
    ],
)
def test_a_configuration_of_other_images_is_refused_until_redo(run_dir, override, stage, difference):
    before = tree(run_dir)

    with pytest.raises(FingerprintError, match=f"{difference}.*--redo {stage}"):
        run_toy(run_dir, override)
    assert tree(run_dir) == before

    _, result = run_toy(run_dir, override, redo=stage)
    assert result.samples > 0
    assert tree(run_dir) != before


def test_vectors_that_change_with_the_count_are_refused(run_dir):
    vectors = np.load(run_dir / "sample/000000/vectors.npy")
    np.save(run_dir / "sample/000000/vectors.npy", vectors[::-1])

    for _ in range(2):  # the second time finds everything as the first time did
        with pytest.raises(RunError, match="does not give the same first 10 vectors"):
            run_toy(run_dir, "identities.count=12")


FILTERS = ("- {type: near_duplicate, max: 0.999}", "- {type: sharpness, min: 1}\n  - {type: resolution}")


@pytest.mark.parametrize("workers", [1, 2])
def test_another_filter_is_measured_from_stored_faces_as_in_a_new_run(run_dir, tmp_path, workers):
    text = CONFIG.replace(*FILTERS)
    images = inodes(run_dir, "generate")

    run_toy(run_dir, text=text, workers=workers)

    fresh, _ = run_toy(tmp_path / "other" / "toy", text=text)
    assert inodes(run_dir, "generate") == images
    assert tree(run_dir) == tree(fresh.root)
    assert not (run_dir / "measure.before").exists()


def test_a_filter_added_later_does_not_need_the_recogniser(run_dir):
    before = fingerprints(parse_config(CONFIG, "a"))["measure"]
    table = read_table(run_dir / "measure/000000/samples.parquet", ["score"])
    run_toy(run_dir, text=CONFIG.replace(*FILTERS), until="generate")
    changed = run_dir / "measure.before/000000/samples.parquet"
    columns = read_table(changed) | {"score": table["score"] + np.float32(1)}
    write_table(changed, columns)

    run_toy(run_dir, text=CONFIG.replace(*FILTERS))

    after = read_table(run_dir / "measure/000000/samples.parquet", ["score"])
    assert (after["score"] == table["score"] + np.float32(1)).all()
    assert RunDirectory(run_dir).stage_digest("measure") != before.digest


def test_another_recogniser_is_refused(run_dir):
    with pytest.raises(FingerprintError, match=r"recogniser\.type.*--redo measure"):
        run_toy(run_dir, "recogniser.type=yunet_sface", "filters.1={type: sharpness}")
