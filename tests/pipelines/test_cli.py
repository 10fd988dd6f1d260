"""The command line as a user meets it: messages, exit codes, and what can be done next."""

import errno
import json
import os

import numpy as np
import pytest

from pipelines import cli
from tests.toy import CONFIG, run_toy, start_driver, synth, tree

NO_FACE_PASSES = CONFIG.replace("detection, min: 0.5", "detection, min: 1.5")


@pytest.fixture
def config(tmp_path):
    (tmp_path / "toy.yaml").write_text(CONFIG)
    return tmp_path / "toy.yaml"


@pytest.fixture
def finished(tmp_path):
    run, _ = run_toy(tmp_path / "runs" / "toy")
    return run


def test_run_makes_a_dataset_and_a_second_run_does_nothing(config, tmp_path):
    first = synth("run", config, "--run-dir", tmp_path / "run")
    second = synth("run", config, "--run-dir", tmp_path / "run")

    assert first.returncode == 0, first.stderr
    assert "40 images of 10 identities" in first.stdout
    assert "generate 100%" in first.stderr
    assert second.returncode == 0
    assert "there was nothing to do" in second.stdout
    assert second.stderr == ""
    assert "generate 000003 6 images" in (tmp_path / "run" / "run.log").read_text()


def test_mistakes_in_the_file_exit_2_and_leave_no_directory(config, tmp_path):
    config.write_text(CONFIG.replace("seed", "sede").replace("count: 10", "count: '10'"))

    result = synth("run", config, "--run-dir", tmp_path / "run")

    assert result.returncode == 2
    assert f"{config}:1: sede: unknown key; did you mean 'seed'?" in result.stderr
    assert f"{config}:3: identities.count: input should be a valid integer, got '10'" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("option", ["--redo", "--until"])
def test_an_unknown_stage_is_told(config, option):
    result = synth("run", config, option, "mesure")

    assert result.returncode == 2
    assert f"{option}: no stage named 'mesure'; stages are sample, generate, measure, select, export" in result.stderr


def test_a_dry_run_prints_the_plan_and_makes_nothing(config, tmp_path):
    result = synth("run", config, "--run-dir", tmp_path / "run", "--dry-run")

    assert result.returncode == 0
    assert "generate      4 tasks, 0 committed  60 images" in result.stdout
    assert "nothing was run" in result.stdout
    assert not (tmp_path / "run").exists()


def test_until_stops_after_a_stage_and_status_says_so(config, tmp_path):
    result = synth("run", config, "--run-dir", tmp_path / "run", "--until", "generate")
    status = synth("status", tmp_path / "run")

    assert result.returncode == 0
    assert "done until generate; 5 shards made" in result.stdout
    assert "generate      4 of 4 shards  10 identities, 60 images" in status.stdout
    assert "measure       0 of 4 shards" in status.stdout
    assert "export        0 of ? shards" in status.stdout


def test_another_configuration_is_refused_and_the_way_out_works(config, tmp_path, finished):
    arguments = ("run", config, "--run-dir", finished.root, "--set", "images.batch_size=4")

    refused = synth(*arguments)
    redone = synth(*arguments, "--redo", "generate")

    assert refused.returncode == 2
    assert "images.batch_size=8, now 4; use another --run-dir or --redo generate" in refused.stderr
    assert redone.returncode == 0, redone.stderr


def test_a_second_driver_is_refused_with_the_first_ones_process(config, finished):
    with finished.lock():
        result = synth("run", config, "--run-dir", finished.root)

    assert result.returncode == 2
    assert f"process {os.getpid()} on " in result.stderr


def test_when_nothing_passes_the_worst_filter_is_named_and_the_run_can_go_on(config, tmp_path):
    config.write_text(NO_FACE_PASSES)

    result = synth("run", config, "--run-dir", tmp_path / "run")

    assert result.returncode == 1
    assert "none of 60 candidates was kept; detection dropped 60 of them" in result.stderr
    assert (tmp_path / "run" / "report" / "index.html").is_file()
    assert not (tmp_path / "run" / "dataset").exists()
    again = synth("run", config, "--run-dir", tmp_path / "run", "--set", "filters.0.min=0.5")
    assert again.returncode == 0, again.stderr
    assert "measure " not in again.stderr


def test_verify_passes_a_whole_run(finished):
    result = synth("verify", finished.root)

    assert result.returncode == 0
    assert "all committed files are as they were written" in result.stdout


def test_verify_names_altered_truncated_and_missing_files(finished, config):
    whole = tree(finished.root)
    altered = finished.shard("generate", 1) / "images.tar"
    truncated = finished.shard("measure", 2) / "aligned.tar"
    missing = finished.shard("measure", 3) / "centroids.npy"
    altered.write_bytes(altered.read_bytes()[:5000] + b"\x00\x01" + altered.read_bytes()[5002:])
    truncated.write_bytes(truncated.read_bytes()[:-700])
    missing.unlink()

    result = synth("verify", finished.root)

    assert result.returncode == 1
    assert f"{altered}: SHA-256" in result.stderr
    assert f"{truncated}: " in result.stderr
    assert f"{missing}: missing" in result.stderr
    assert "remove the folders of damaged shards, or dataset/, and run again" in result.stderr
    for path in (altered, truncated, missing):
        finished.discard(path.parent)
    assert synth("run", config, "--run-dir", finished.root).returncode == 0
    assert tree(finished.root) == whole


def test_verify_names_a_damaged_file_of_the_dataset(finished):
    card = finished.dataset / "README.md"
    card.write_text(card.read_text() + "more\n")

    result = synth("verify", finished.root)

    assert result.returncode == 1
    assert f"{card}: differs from what was assembled" in result.stderr


def test_a_damaged_dataset_follows_its_shard(finished, config):
    whole = tree(finished.root)
    tar = finished.dataset / "train-000001.tar"
    with tar.open("r+b") as file:  # a hard link: the shard is damaged as well
        file.seek(3000)
        file.write(b"damage")
    assert str(finished.shard("export", 1)) in synth("verify", finished.root).stderr

    finished.discard(finished.shard("export", 1))
    again = synth("run", config, "--run-dir", finished.root)

    assert again.returncode == 0, again.stderr
    assert synth("verify", finished.root).returncode == 0
    assert tree(finished.root) == whole


def test_a_folder_with_somebody_elses_dataset_is_left_alone(config, tmp_path):
    (tmp_path / "mine" / "dataset").mkdir(parents=True)
    (tmp_path / "mine" / "dataset" / "precious.txt").write_text("years of work")

    result = synth("run", config, "--run-dir", tmp_path / "mine")

    assert result.returncode == 2
    assert "has a folder 'dataset' that no run made" in result.stderr
    assert [path.name for path in (tmp_path / "mine").rglob("*")] == ["dataset", "precious.txt"]


def test_a_run_directory_that_cannot_be_made_is_told(config):
    result = synth("run", config, "--run-dir", config)

    assert result.returncode == 2
    assert result.stderr == f"{config}: File exists\n"


@pytest.mark.parametrize("content", ["{}", "[]", '{"config": {"seed": 1}}', "{"])
def test_a_damaged_run_json_is_told(finished, content):
    (finished.root / "run.json").write_text(content)

    result = synth("status", finished.root)

    assert result.returncode == 2
    assert "run.json: " in result.stderr
    assert "Traceback" not in result.stderr


def test_a_damaged_shard_fails_the_stage_that_reads_it(config, tmp_path):
    run, _ = run_toy(tmp_path / "run", until="generate")
    tar = run.shard("generate", 1) / "images.tar"
    tar.write_bytes(tar.read_bytes()[:1000])

    result = synth("run", config, "--run-dir", run.root)

    assert result.returncode == 1
    assert "1 task of measure failed; the first, measure.000001: ShardError" in result.stderr
    assert str(tar) in json.loads((run.failed / "measure.000001.json").read_text())["reason"]


def test_a_removed_dataset_is_assembled_again(config, finished):
    before = tree(finished.root)
    finished.discard(finished.dataset)

    result = synth("run", config, "--run-dir", finished.root)

    assert result.returncode == 0
    assert tree(finished.root) == before


def test_an_audit_prints_its_checks_and_writes_the_page(finished):
    result = synth("audit", finished.root)

    assert result.returncode == 0, result.stderr
    assert "neighbours   ok       no two classes above the bound: the most similar two have" in result.stdout
    assert result.stdout.endswith(f"{finished.audit / 'index.html'}\n")
    assert (finished.audit / "audit.json").is_file()


def test_an_audit_that_fails_exits_1_and_says_which(finished):
    result = synth("audit", finished.root, "--max-inter", "-0.5")

    assert result.returncode == 1
    assert "neighbours: no two classes above the bound: " in result.stderr
    assert f"2 checks failed; {finished.audit / 'index.html'} shows more" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_audit_compares_with_a_gallery_of_real_people(finished, tmp_path):
    np.save(tmp_path / "real.npy", np.eye(32, dtype=np.float32))
    gallery = f"{{file: {tmp_path / 'real.npy'}, space: painted, thresholds: [-1]}}"

    result = synth("audit", finished.root, "--gallery", gallery, "--samples", "20")

    assert result.returncode == 1
    assert "leakage: nearest people of real.npy, by tests.fakes.PaintedRecogniser: " in result.stderr


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--gallery", "real.npz", "--gallery: expected a mapping like"),
        ("--gallery", "{file: real.npz, space: sface}", "--gallery real.npz: its vectors are of space 'sface'"),
        ("--recogniser", "{type: nobody}", "--recogniser: no recogniser named 'nobody'"),
        ("--max-inter", "2", "--max-inter: expected a cosine, -1 to 1, got 2"),
        ("--max-inter", "nan", "--max-inter: expected a cosine, -1 to 1, got nan"),
        ("--samples", "0", "Invalid value for '--samples'"),
    ],
)
def test_what_an_audit_cannot_use_exits_2_and_writes_nothing(finished, option, value, message):
    result = synth("audit", finished.root, option, value, TERMINAL_WIDTH="200")

    assert result.returncode == 2
    assert message in " ".join(result.stderr.split())
    assert not finished.audit.exists()


@pytest.mark.parametrize("command", ["status", "verify", "report", "export", "audit"])
def test_a_folder_that_is_no_run_is_told(command, tmp_path):
    needed = (tmp_path / "new", "--type", "parquet") if command == "export" else ()
    (tmp_path / "run").mkdir()

    result = synth(command, tmp_path / "run", *needed)

    assert result.returncode == 2
    assert "run.json" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_finished_run_is_exported_in_another_format(finished, tmp_path):
    first = synth("export", finished.root, tmp_path / "rec", "--type", "record_io", "--set", "flavour=insightface")
    again = synth("export", finished.root, tmp_path / "rec", "--type", "parquet", "--crop", "generated")
    replaced = synth("export", finished.root, tmp_path / "rec", "--type", "parquet", "--crop", "generated", "--replace")

    assert first.returncode == 0, first.stderr
    assert f"{tmp_path / 'rec'}: 40 images of 10 identities; README.md says how to load them" in first.stdout
    assert "export   100%  40 samples" in first.stderr
    assert again.returncode == 2
    assert "add --replace to replace it" in again.stderr
    assert replaced.returncode == 0, replaced.stderr
    assert (tmp_path / "rec" / "train-000000.parquet").is_file()


def test_components_lists_files_with_their_options():
    result = synth("components", "filter")

    assert result.returncode == 0
    assert "sharpness" in result.stdout
    assert "min: float = -inf" in result.stdout
    assert synth("components", "filtre").returncode == 2


@pytest.mark.parametrize(
    ("size", "count"),
    [("20k", 10), ("200k", 3000), ("300k", 10), ("900k", 10)],
    ids=["begin", "vectors", "images", "end"],
)
def test_a_full_disk_is_told_and_the_run_goes_on_when_there_is_room(config, tmp_path, size, count):
    limited = tmp_path / "small_disk"
    limited.mkdir()
    if os.geteuid() != 0 or os.system(f"mount -t tmpfs -o size={size} none {limited} 2>/dev/null") != 0:
        pytest.skip("needs the right to mount a small file system")
    try:
        process = start_driver(config, limited / "run", "--set", f"identities.count={count}")
        output, _ = process.communicate(timeout=120)
        os.system(f"mount -o remount,size=64m {limited}")
        until = ("--until", "sample") if count > 100 else ()
        again = synth("run", config, "--run-dir", limited / "run", *until, "--set", f"identities.count={count}")
    finally:
        os.system(f"umount {limited}")

    assert process.returncode == 1, output
    assert "no space left on the disk; free some and run again to go on" in output
    assert "Traceback" not in output
    assert again.returncode == 0, again.stderr


def test_a_full_disk_is_told_by_any_command(monkeypatch, capsys):
    def full(**_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(cli, "app", full)
    with pytest.raises(SystemExit) as ended:
        cli.main()

    assert ended.value.code == 1
    assert capsys.readouterr().err == "no space left on the disk; free some and run again\n"
