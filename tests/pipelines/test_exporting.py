"""The samples of a finished run in other formats: what a run of that format makes, and the run is not touched."""

import shutil

import pytest

from pipelines.exporting import export_run
from pipelines.inspection import damages
from pipelines.run_directory import RunDirectory
from synth.errors import ComponentError, ConfigError, RunError, RunLockedError, ShardError
from synth.shards.tar import TarReader
from tests import record_io_by_the_spec as spec
from tests.toy import CONFIG, Silent, run_toy

FORMATS = [
    ("webdataset", ()),
    ("image_folder", ()),
    ("parquet", ()),
    ("record_io", ()),
    ("record_io", ("flavour=insightface",)),
]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return run_toy(tmp_path_factory.mktemp("runs") / "toy")[0]


def export(run, out, kind="record_io", **settings):
    return export_run(run, out, kind, Silent(), **settings)


def content(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def state(folder):
    """Returns everything that a write would change."""
    return {
        path: (path.stat().st_ino, path.stat().st_mtime_ns, path.stat().st_size)
        for path in [folder, *folder.rglob("*")]
    }


@pytest.mark.parametrize(("kind", "options"), FORMATS)
def test_an_export_is_the_dataset_of_a_run_of_that_format(run, tmp_path, kind, options):
    section = ", ".join([f"type: {kind}", *(option.replace("=", ": ") for option in options)])
    text = CONFIG.replace("type: webdataset", section)
    other, _ = run_toy(tmp_path / "toy", text=text)

    done = export(run, tmp_path / "out", kind, options=options)

    assert damages(other) == []
    found, expected = content(tmp_path / "out"), content(other.dataset)
    card, row = found.pop("README.md").decode(), f"\n| export | `{other.stage_digest('export')}` |"
    assert expected.pop("README.md").decode().replace(row, "") == card
    assert found.pop("export.json")
    assert found == expected
    assert (done.samples, done.identities) == (40, 10)


def test_the_run_is_not_touched(run, tmp_path):
    before = state(run.root)

    for number, (kind, options) in enumerate(FORMATS):
        export(run, tmp_path / str(number), kind, options=options)

    assert state(run.root) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1", "2", "3", "4"]


def test_the_generated_images_can_be_had_instead_of_the_aligned_ones(run, tmp_path):
    originals = set()
    for shard in run.shards("generate"):
        with TarReader(shard / "images.tar") as tar:
            originals |= {data for _, data in tar}

    export(run, tmp_path / "out", crop="generated")

    images = [spec.image(payload)[2] for _, payload in spec.records((tmp_path / "out" / "train.rec").read_bytes())]
    assert len(images) == 40
    assert set(images) <= originals
    assert (tmp_path / "out" / "property").read_text() == "10,64,64\n"
    assert "crop: generated" in (tmp_path / "out" / "README.md").read_text()


def test_an_empty_folder_is_filled_and_a_link_to_it_stays_one(run, tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk")

    done = export(run, tmp_path / "out")

    assert done.place == tmp_path / "disk"
    assert (tmp_path / "out").is_symlink()
    assert (tmp_path / "out" / "train.rec").is_file()


def test_an_earlier_export_is_replaced_when_that_is_said(run, tmp_path):
    export(run, tmp_path / "out", "parquet")

    with pytest.raises(RunError, match="out: holds an earlier export; add --replace"):
        export(run, tmp_path / "out")
    assert (tmp_path / "out" / "train-000000.parquet").is_file()

    export(run, tmp_path / "out", replace=True)
    assert (tmp_path / "out" / "train.rec").is_file()
    assert not list((tmp_path / "out").glob("train-*"))


@pytest.mark.parametrize("earlier", [False, True])
def test_a_folder_with_somebody_elses_file_is_never_replaced(run, tmp_path, earlier):
    if earlier:
        export(run, tmp_path / "out")
    (tmp_path / "out").mkdir(exist_ok=True)
    (tmp_path / "out" / "notes.txt").write_text("years of work")
    before = state(tmp_path)

    with pytest.raises(RunError, match=r"out: holds 'notes\.txt', which no earlier export made"):
        export(run, tmp_path / "out", replace=True)

    assert state(tmp_path) == before


@pytest.mark.parametrize("name", [".", "dataset", "new/folder"])
def test_a_folder_in_the_run_is_refused(run, name):
    with pytest.raises(RunError, match="lies in the run itself"):
        export(run, run.root / name, replace=True)


def test_a_file_in_the_place_of_the_folder_is_refused(run, tmp_path):
    (tmp_path / "out").write_text("")

    with pytest.raises(RunError, match="out: is a file"):
        export(run, tmp_path / "out")


@pytest.mark.parametrize(
    ("kind", "options", "error", "message"),
    [
        ("recordio", [], ComponentError, "no exporter named 'recordio'; .* did you mean 'record_io'"),
        ("record_io", ["flavor=plain"], ComponentError, "flavor: unknown option; did you mean 'flavour'"),
        ("record_io", ["flavour=mxnet"], ComponentError, "flavour: input should be 'plain' or 'insightface'"),
        ("record_io", ["0=plain"], ComponentError, "0: unknown option"),
        ("record_io", ["flavour"], ConfigError, "--set: expected path.to.key=value, got 'flavour'"),
        ("record_io", ["crop=generated"], ConfigError, "--set: crop: not an option of an exporter; use --crop"),
        ("record_io", ["shard_size=3"], ConfigError, "shard_size: not an option of an exporter; shards are those of"),
    ],
)
def test_a_wrong_exporter_or_option_is_told_and_nothing_is_made(run, tmp_path, kind, options, error, message):
    with pytest.raises(error, match=message):
        export(run, tmp_path / "out", kind, options=options)

    assert list(tmp_path.iterdir()) == []


def test_a_run_without_a_selection_is_told(tmp_path):
    run, _ = run_toy(tmp_path / "toy", until="measure")

    with pytest.raises(RunError, match="its selection is not made yet; run its configuration to the end"):
        export(run, tmp_path / "out")


def test_a_selection_is_enough(run, tmp_path):
    shutil.copytree(run.root, tmp_path / "toy")
    copied = RunDirectory(tmp_path / "toy")
    for folder in (copied.stage("export"), copied.dataset, copied.report):
        shutil.rmtree(folder)
    (copied.root / "run.lock").unlink()

    export(copied, tmp_path / "out", "image_folder")

    export(run, tmp_path / "other", "image_folder")
    assert content(tmp_path / "out") == content(tmp_path / "other")


def test_a_folder_that_is_no_run_is_told(tmp_path):
    (tmp_path / "toy").mkdir()

    with pytest.raises(RunError, match="not a run directory"):
        export(RunDirectory(tmp_path / "toy"), tmp_path / "out")


def test_a_run_that_is_worked_on_is_left_alone(run, tmp_path):
    shutil.copytree(run.root, tmp_path / "toy")
    copied = RunDirectory(tmp_path / "toy")

    with copied.lock(), pytest.raises(RunLockedError, match=r"process .* works on it"):
        export(copied, tmp_path / "out")

    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("earlier", [False, True])
def test_a_failure_in_the_middle_leaves_what_was_there(run, tmp_path, earlier):
    shutil.copytree(run.root, tmp_path / "toy")
    copied = RunDirectory(tmp_path / "toy")
    if earlier:
        export(copied, tmp_path / "out", "parquet")
    before = content(tmp_path / "out")
    tar = copied.shard("measure", 2) / "aligned.tar"
    tar.write_bytes(tar.read_bytes()[:3000])

    with pytest.raises(ShardError, match=r"aligned\.tar"):
        export(copied, tmp_path / "out", replace=True)

    assert content(tmp_path / "out") == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_what_a_crash_left_over_is_removed(run, tmp_path):
    (tmp_path / ".out.shards" / "000000").mkdir(parents=True)
    (tmp_path / ".out.new").mkdir()

    export(run, tmp_path / "out")

    assert [path.name for path in tmp_path.iterdir()] == ["out"]
