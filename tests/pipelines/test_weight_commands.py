"""`synth weights` as a user meets it."""

import re

import numpy as np
import pytest
import torch
from rich.console import Console

from pipelines.config import parse_config
from pipelines.weight_files import needed_files
from pipelines.weight_table import inspect_files, show
from synth.digests import sha256_of
from synth.weights.checkpoints import read_checkpoint
from tests.pipelines.weighted import weighted_config, write_weights
from tests.synth.weights.hub_server import hub
from tests.toy import CONFIG, run_toy, synth, tree

FORM = "a form on https://example.org"


@pytest.fixture
def config(tmp_path):
    (tmp_path / "toy.yaml").write_text(weighted_config(tmp_path / "weights"))
    return tmp_path / "toy.yaml"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "weights"


def test_missing_files_are_listed_with_all_that_is_known_of_them(config, folder):
    result = synth("weights", config)

    assert result.returncode == 2
    assert result.stderr == ""
    assert result.stdout.splitlines()[:4] == [
        "generator tests.pipelines.weighted.WeightedVector: licence: MIT; trained on paint (non-commercial); "
        "origin: https://example.org/painted",
        f"  missing    2.0 MB published  {folder}/generator/unet/model.bin",
        f"  missing  500 bytes published  {folder}/generator/encoder.bin",
        f"recogniser tests.pipelines.weighted.WeightedRecogniser: licence: CC BY-NC 4.0; origin: {FORM}",
    ]
    assert result.stdout.splitlines()[-2:] == [
        f"{folder}/recogniser.bin: get it from {FORM} and put it there",
        "2 missing files on the hub, about 2.0 MB: add --download to fetch",
    ]


def test_files_that_are_all_there_exit_0(config, folder):
    write_weights(folder)

    result = synth("weights", "list", config)

    assert result.returncode == 0, result.stdout
    assert re.findall(r"^  (\w+) .*  /", result.stdout, re.MULTILINE) == ["present"] * 3
    assert result.stdout.splitlines()[-1] == "all weight files are there"


def test_a_damaged_file_exits_2_and_is_named(config, folder):
    write_weights(folder)
    (folder / "recogniser.bin").write_bytes(b"<html>quota exceeded</html>")

    result = synth("weights", config)

    assert result.returncode == 2
    assert re.search(rf"damaged +27 bytes  {folder}/recogniser.bin", result.stdout)
    assert f"{folder}/recogniser.bin: is a web page, not the file that was asked for; remove it" in result.stdout


def test_a_terminal_gets_a_table(config, folder):
    lines = inspect_files(needed_files(parse_config(config.read_text(), "toy.yaml")))
    console = Console(record=True, force_terminal=True, width=100)

    with console.capture() as captured:
        show(console, lines)

    text = re.sub(r"\x1b\[[0-9;]*m", "", captured.get())
    assert "│ missing │" in text
    assert "2.0 MB published" in text
    assert f"{FORM}" in text
    assert max(len(line) for line in text.splitlines() if "│" in line) <= 100


def test_a_configuration_without_weights_says_so(tmp_path):
    (tmp_path / "toy.yaml").write_text(CONFIG)

    result = synth("weights", tmp_path / "toy.yaml")

    assert (result.returncode, result.stdout) == (0, "the configuration needs no weight files\n")


def test_download_fetches_what_the_hub_has_and_names_the_rest(config, folder, tmp_path):
    pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")
    files = {"owner/painted": {"unet/model.bin": b"u" * 2_000_000}}
    with hub(files) as (address, _):
        environment = {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "home")}
        partial = synth("weights", config, "--download", **environment)
        files["owner/painted"]["encoder.bin"] = b"e" * 500
        (folder / "recogniser.bin").write_bytes(b"by hand")
        whole = synth("weights", "--download", config, **environment)

    assert partial.returncode == 2
    assert f"{folder}/generator/encoder.bin: owner/painted has no encoder.bin; get it from" in partial.stderr
    assert f"{folder}/recogniser.bin: get it from {FORM} and put it there" in partial.stdout
    assert re.search(rf"present +2\.0 MB  {folder}/generator/unet/model.bin", partial.stdout)
    assert whole.returncode == 0, whole.stderr
    assert sorted(path.name for path in (folder / "generator").rglob("*")) == ["encoder.bin", "model.bin", "unet"]


def test_a_run_without_its_weights_is_refused_before_anything_runs(config, folder, tmp_path):
    result = synth("run", config, "--run-dir", tmp_path / "run")

    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 3
    assert f"{folder}/recogniser.bin: missing; get it from {FORM} and put it there" in result.stderr
    assert not (tmp_path / "run").exists()


def test_a_plan_needs_no_weights_but_names_what_a_run_lacks(config, folder, tmp_path):
    result = synth("run", config, "--run-dir", tmp_path / "run", "--dry-run")

    assert result.returncode == 0
    assert "generate      4 tasks" in result.stdout
    assert f"{folder}/recogniser.bin: missing, a run needs it" in result.stdout
    assert "`synth weights CONFIG` says how to get missing files" in result.stdout


def test_weights_count_by_content_and_hidden_files_do_not(folder, tmp_path):
    write_weights(folder)
    run, _ = run_toy(tmp_path / "run", text=weighted_config(folder))
    before = tree(run.root)
    (folder / "generator" / ".cache").mkdir()
    (folder / "generator" / ".cache" / "metadata").write_text("the hub's")
    (folder / "generator" / "README.md").write_text("beside the weights")
    folder.rename(tmp_path / "elsewhere")

    _, result = run_toy(tmp_path / "run", text=weighted_config(tmp_path / "elsewhere"))

    assert result.num_made == 0
    assert tree(run.root) == before


def test_other_weights_are_refused_in_a_run_made_with_the_former_ones(config, folder, tmp_path):
    write_weights(folder)
    assert synth("run", config, "--run-dir", tmp_path / "run").returncode == 0
    (folder / "generator" / "encoder.bin").write_bytes(b"another")

    result = synth("run", config, "--run-dir", tmp_path / "run")

    assert result.returncode == 2
    assert "generate was made with another configuration: generator.weights=" in result.stderr
    assert f"encoder.bin sha256:{sha256_of(folder / 'generator' / 'encoder.bin')}" in result.stderr


def test_convert_writes_a_checkpoint_that_reads_the_same(tmp_path):
    torch.save({"weight": torch.arange(4.0), "epoch": 3}, tmp_path / "model.pth")

    result = synth("weights", "convert", tmp_path / "model.pth", tmp_path / "model.safetensors")
    again = synth("weights", "convert", tmp_path / "model.pth", tmp_path / "model.safetensors")

    assert result.returncode == 0, result.stderr
    assert result.stdout == f"{tmp_path}/model.safetensors: 1 tensors, dropped epoch\n"
    assert read_checkpoint(tmp_path / "model.safetensors")["weight"].tolist() == [0, 1, 2, 3]
    assert again.returncode == 2
    assert "exists already" in again.stderr


def test_convert_writes_contexts_as_an_array(tmp_path):
    torch.save({"0": np.ones(4, np.float32), "1": np.zeros(4, np.float32)}, tmp_path / "contexts.npy")

    result = synth("weights", "convert", tmp_path / "contexts.npy", tmp_path / "vectors.npy")

    assert result.stdout == f"{tmp_path}/vectors.npy: 2 vectors\n"
    assert np.load(tmp_path / "vectors.npy").shape == (2, 4)


def test_convert_names_what_it_cannot_read(tmp_path):
    (tmp_path / "cut.pth").write_bytes(b"PK\x03\x04 and no more")

    result = synth("weights", "convert", tmp_path / "cut.pth", tmp_path / "out.safetensors")

    assert result.returncode == 2
    assert result.stderr.startswith(f"{tmp_path}/cut.pth: cannot be read (")
    assert "Traceback" not in result.stderr
