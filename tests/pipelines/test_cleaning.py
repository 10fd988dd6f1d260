"""What `synth clean` frees, keeps, and refuses afterwards."""

import json
import re
import shutil

import numpy as np
import pytest

from pipelines import cleaning
from pipelines.audit import write_audit
from pipelines.auditing.settings import AuditSettings
from pipelines.cleaning import FREED, Freed, clean
from pipelines.exporting import export_run
from pipelines.inspection import damages
from pipelines.report import write_report
from pipelines.run_directory import RunDirectory
from synth.errors import (
    FingerprintError,
    RunError,
    RunLockedError,
    SelectionError,
    ShardError,
    TasksFailedError,
)
from synth.shards.manifest import ShardRecord
from synth.shards.table import read_table
from synth.shards.tar import TarReader
from tests.toy import Silent, run_toy, synth, tree


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished toy run, to be copied: 10 identities of 6 candidates."""
    run, _ = run_toy(tmp_path_factory.mktemp("finished") / "run")
    return run


@pytest.fixture
def run(finished, tmp_path):
    shutil.copytree(finished.root, tmp_path / "run")
    return RunDirectory(tmp_path / "run")


def rejected(run):
    decisions = read_table(run.shard("select", 0) / "decisions.parquet", ["kept", "source_shard"])
    return int((~decisions["kept"]).sum())


def used(run, stage):
    return sum(path.stat().st_size for path in run.stage(stage).rglob("*.tar"))


def test_rejected_images_go_and_kept_ones_stay_as_they_were(run, finished):
    freed = clean(run)

    assert freed.images == rejected(run) > 0
    assert freed.size > 0
    decisions = read_table(run.shard("select", 0) / "decisions.parquet", ["kept", "source_shard"])
    for shard in range(4):
        kept = decisions["kept"][decisions["source_shard"] == shard]
        for stage, name, prefix in (("generate", "images.tar", "tar"), ("measure", "aligned.tar", "aligned")):
            path, before = run.shard(stage, shard), finished.shard(stage, shard)
            now, was = read_table(path / "samples.parquet"), read_table(before / "samples.parquet")
            offset, size = f"{prefix}_offset", f"{prefix}_size"
            assert set(now[size][~kept].tolist()) == {0}
            assert set(now[offset][~kept].tolist()) == {-1}
            for column in set(was) - {offset, size}:
                np.testing.assert_array_equal(now[column], was[column])
            with TarReader(path / name) as tar, TarReader(before / name) as tar_before:
                assert len(list(tar.members())) == int(kept.sum())
                for row in np.flatnonzero(kept):
                    image = tar.read(int(now[offset][row]), int(now[size][row]))
                    assert image == tar_before.read(int(was[offset][row]), int(was[size][row]))
            assert ShardRecord.read(path).counts[FREED] > 0
    assert used(run, "generate") < used(finished, "generate")
    assert damages(run) == []


def test_the_dataset_stays_and_a_run_has_nothing_to_do(run, finished):
    clean(run)

    _, result = run_toy(run.root)

    assert result.num_made == 0
    assert tree(run.root, ("select", "export", "dataset")) == tree(finished.root, ("select", "export", "dataset"))


def test_a_dry_run_counts_the_same_and_changes_nothing(run, finished):
    counted = clean(run, dry_run=True)

    assert tree(run.root) == tree(finished.root)
    assert not run.cleaned.exists()
    assert clean(run) == counted
    assert clean(run) == Freed(0, 0)


def test_a_cleaned_run_is_reported_audited_and_exported_again(run, tmp_path):
    clean(run)

    page = write_report(run.root).read_text()
    audit = write_audit(run.root, AuditSettings())
    exported = export_run(run, tmp_path / "images", "image_folder", Silent(), crop="generated")

    assert "where <code>synth clean</code> did not" in page
    assert audit.page.is_file()
    assert exported.samples == len(list((tmp_path / "images").rglob("*.jpg"))) > 0


def test_more_identities_are_added_and_cleaned_as_well(run, tmp_path):
    clean(run)

    more, _ = run_toy(run.root, "identities.count=13")
    expected, _ = run_toy(tmp_path / "expected" / "run", "identities.count=13")

    assert tree(more.root, ("select", "dataset")) == tree(expected.root, ("select", "dataset"))
    assert clean(more).images > 0
    assert damages(more) == []


@pytest.mark.parametrize(
    ("overrides", "redo", "reason"),
    [
        (("filters=[{type: detection, min: 0.5}]",), None, "filters.vector_similarity.type="),
        (
            ("recogniser={type: yunet_sface}", "filters=[{type: detection, min: 0.5}]"),
            None,
            'recogniser.type="tests.fakes.PaintedRecogniser", now "yunet_sface"',
        ),
        ((), "measure", "--redo measure"),
        (("selection.images_per_identity=6",), None, "selection.images_per_identity=4, now 6"),
        (("filters.0.min=0.9",), None, "0.9"),
    ],
    ids=["other filters", "another recogniser", "measured again", "more images", "a stricter bound"],
)
def test_what_would_need_freed_images_is_refused_before_anything_is_lost(run, overrides, redo, reason):
    clean(run)
    before = tree(run.root)

    with pytest.raises(RunError, match=f"`synth clean` freed .*{re.escape(reason)}.*--redo generate"):
        run_toy(run.root, *overrides, redo=redo)

    assert tree(run.root) == before


def test_other_images_are_refused_for_their_own_reason(run):
    clean(run)

    with pytest.raises(FingerprintError, match=r"images\.batch_size=8, now 4"):
        run_toy(run.root, "images.batch_size=4")


def test_a_selection_that_keeps_what_was_freed_is_refused(run):
    """As when the stage's folder was removed by hand, so that nothing tells the bounds of before."""
    clean(run)
    shutil.rmtree(run.stage("select"))

    with pytest.raises(SelectionError, match=r"candidates that these bounds keep were rejected before"):
        run_toy(run.root, "selection.images_per_identity=6")


def test_the_selection_and_the_export_can_be_made_again(run, finished):
    clean(run)

    run_toy(run.root, redo="select")

    assert tree(run.root, ("select", "export", "dataset")) == tree(finished.root, ("select", "export", "dataset"))


@pytest.mark.parametrize("stage", ["generate", "measure", "select"])
def test_nothing_is_freed_from_damaged_shards(run, stage):
    shard = run.shard(stage, 0)
    path = shard / {"generate": "images.tar", "measure": "centroids.npy", "select": "decisions.parquet"}[stage]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    before = {path.name: path.read_bytes() for path in shard.iterdir()}

    with pytest.raises(ShardError, match=rf"{path.name}: SHA-256 .*\n.*nothing is freed from damaged shards"):
        clean(run)

    assert {path.name: path.read_bytes() for path in shard.iterdir()} == before


def test_a_lost_shard_of_a_cleaned_run_is_made_anew_with_its_images(run, finished):
    clean(run)
    shutil.rmtree(run.shard("measure", 1))
    with pytest.raises(TasksFailedError, match=r"generate/000001: .* remove it and run again"):
        run_toy(run.root)

    shutil.rmtree(run.shard("generate", 1))
    run_toy(run.root)

    assert damages(run) == []
    assert tree(run.root, ("select", "dataset")) == tree(finished.root, ("select", "dataset"))
    names = ("generate/000001/images.tar", "measure/000001/samples.parquet")
    assert [tree(run.root)[name] for name in names] == [tree(finished.root)[name] for name in names]


def test_a_run_that_rejected_nothing_is_left_as_it_is(tmp_path):
    keeps_all = ("generator.black_every=0", "filters=[{type: detection, min: 0.5}]", "selection={}")
    run, result = run_toy(tmp_path / "run", *keeps_all)
    assert result.samples == 60

    assert clean(run) == Freed(0, 0)
    assert not run.cleaned.exists()


def test_the_lists_of_shards_are_those_of_the_cleaned_ones(run):
    clean(run)

    for stage in ("generate", "measure"):
        listed = json.loads((run.stage(stage) / "manifest.json").read_text())
        assert [entry["counts"][FREED] for entry in listed] == [
            ShardRecord.read(path).counts[FREED] for path in run.shards(stage)
        ]


def test_the_report_of_a_cleaned_run_shows_the_dropped_ones_that_are_there(run):
    clean(run)
    without = write_report(run.root).read_text().count("Dropped sample")

    run_toy(run.root, "identities.count=13")
    some = write_report(run.root).read_text().count("Dropped sample")

    assert without == 0
    assert some > 0


def test_generating_again_makes_a_whole_run(run, finished):
    clean(run)

    run_toy(run.root, redo="generate")

    assert tree(run.root) == tree(finished.root)
    assert not run.cleaned.exists()


@pytest.mark.parametrize("moment", ["before the old shard moves", "between the renames", "after a shard"])
def test_killed_at_any_moment_it_goes_on(run, finished, monkeypatch, moment):
    real = cleaning.replace_directory
    names = []

    def stop(final):
        names.append(final.name)
        if moment == "before the old shard moves":
            (final.parent / f".{final.name}.new").mkdir()
            (final.parent / f".{final.name}.new" / "images.tar").write_bytes(b"half")
        elif moment == "between the renames":
            final.rename(final.parent / f".{final.name}.old")
        elif len(names) == 1:
            return real(final)
        raise KeyboardInterrupt

    monkeypatch.setattr(cleaning, "replace_directory", stop)
    with pytest.raises(KeyboardInterrupt):
        clean(run)
    monkeypatch.undo()
    clean(run)

    assert damages(run) == []
    assert [path.name for path in run.stage("generate").iterdir() if path.name.startswith(".")] == []
    expected = shutil.copytree(finished.root, run.root.parent / "expected")
    clean(RunDirectory(expected))
    assert tree(run.root) == tree(expected)


def test_an_unfinished_run_is_refused(tmp_path):
    run, _ = run_toy(tmp_path / "run", until="select")

    with pytest.raises(RunError, match="its dataset is not finished"):
        clean(run)


def test_a_run_under_way_is_refused(run):
    with run.lock(), pytest.raises(RunLockedError):
        clean(run)


def test_the_command_says_how_much(run):
    counted = synth("clean", run.root, "--dry-run")
    freed = synth("clean", run.root)

    assert f"{rejected(run)} images of rejected candidates would be freed, " in counted.stdout
    assert freed.stdout == counted.stdout.replace("would be", "were")
    assert json.loads(run.cleaned.read_text()) == {"select": run.stage_digest("select")}
