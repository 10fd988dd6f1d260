import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from pipelines.training.command import train
from synth.components import ComponentSpec, build
from synth.errors import ConfigError, FingerprintError, RunError, RunLockedError, ShardError
from synth.recognisers.trained import Trained
from synth.shards.object_store import ObjectFolder
from synth.training.model_file import read_description
from tests.pipelines.training.small_training import small_config, write_config
from tests.synth.training.faces import painted_images, write_dataset
from tests.toy import ROOT, heed_ctrl_c, synth


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "dataset"
    write_dataset(path, identities=10, per_identity=6)
    return path


def trained(tmp_path, dataset, *overrides, folder="training"):
    lines = []
    config = small_config(tmp_path, dataset, *overrides)
    outcome = train(config, tmp_path / folder, device="cpu", threads=1, num_workers=0, watch=lines.append)
    return outcome, lines


def test_a_training_leaves_a_model_a_log_and_a_page(tmp_path, dataset):
    outcome, lines = trained(tmp_path, dataset)

    logged = [json.loads(line) for line in (tmp_path / "training" / "log.jsonl").read_text().splitlines()]
    page = (tmp_path / "training" / "report" / "index.html").read_text()
    assert logged == lines
    assert [line["step"] for line in lines if "loss" in line] == [2, 4, 6, 8]
    assert outcome.equal_error_rate == min(line["equal_error_rate"] for line in lines if "equal_error_rate" in line)
    assert page.count("<svg") == 4
    assert "http" not in page.replace("http://www.w3.org", "")
    assert read_description(outcome.model).trained_on["identities"] == 6


def test_the_model_is_a_recogniser(tmp_path, dataset):
    outcome, _ = trained(tmp_path, dataset)

    recogniser = build(ComponentSpec("recogniser", "trained", {"weights": str(outcome.model)}))
    embeddings = recogniser.embed(painted_images(2, 2))

    assert isinstance(recogniser, Trained)
    assert re.fullmatch(r"synth/training-[0-9a-f]{8}", recogniser.space)
    assert embeddings.shape == (4, 16)
    assert embeddings[0] @ embeddings[1] > embeddings[0] @ embeddings[2]


def test_a_dataset_in_an_object_store_trains_as_the_local_one_does(tmp_path, dataset):
    ObjectFolder("memory://faces/dataset").send(dataset)
    places = f"data.cache={tmp_path / 'cache'}", "data.dataset=memory://faces/dataset"

    outcome, _ = trained(tmp_path, dataset, *places, folder="far/training")

    local, _ = trained(tmp_path, dataset, folder="near/training")
    far, near = (load_file(made.model) for made in (outcome, local))
    assert far.keys() == near.keys()
    assert all(torch.equal(far[name], near[name]) for name in far)
    assert read_description(outcome.model).trained_on["dataset"] == "faces"


def test_trainings_share_a_space_only_if_they_are_the_same(tmp_path, dataset):
    outcomes = [
        trained(tmp_path, dataset, f"seed={seed}", folder=f"{folder}/m")[0]
        for seed, folder in ((3, "a"), (4, "b"), (3, "c"))
    ]

    first, other, same = (read_description(outcome.model).space for outcome in outcomes)

    assert first != other
    assert first == same


def test_another_dataset_makes_another_space(tmp_path):
    spaces = []
    for per_identity in (6, 8):
        write_dataset(tmp_path / "data", identities=10, per_identity=per_identity)
        spaces.append(read_description(trained(tmp_path, tmp_path / "data")[0].model).space)
        shutil.rmtree(tmp_path / "training")

    assert spaces[0] != spaces[1]


def test_a_training_in_the_folder_one_is_in_has_its_name(tmp_path, dataset, monkeypatch):
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")

    outcome = train(
        small_config(tmp_path, dataset), Path(), device="cpu", threads=1, num_workers=0, watch=lambda line: None
    )

    assert read_description(outcome.model).space.startswith("synth/mine-")


def test_a_second_run_does_nothing_and_says_so(tmp_path, dataset):
    first, _ = trained(tmp_path, dataset)

    second, lines = trained(tmp_path, dataset)

    assert (first.is_new, second.is_new) == (True, False)
    assert lines == []
    assert second.equal_error_rate == first.equal_error_rate


def test_a_finished_training_without_its_log_keeps_its_page_and_says_what_it_does_not_know(tmp_path, dataset):
    config, folder = write_config(tmp_path, dataset), tmp_path / "training"
    trained(tmp_path, dataset)
    page = (folder / "report" / "index.html").read_bytes()
    (folder / "log.jsonl").unlink()

    done = synth("train", config, "--run-dir", folder)

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("equal error rate not known, log.jsonl lacks it; there was nothing to do")
    assert (folder / "report" / "index.html").read_bytes() == page


def test_a_log_with_a_bad_line_is_refused_and_nothing_is_lost(tmp_path, dataset):
    trained(tmp_path, dataset)
    log = tmp_path / "training" / "log.jsonl"
    text = log.read_text() + "{'step': 9\n"
    log.write_text(text)

    with pytest.raises(RunError, match=r"log\.jsonl:7: .*expected JSON as a training logs it; take the line out"):
        trained(tmp_path, dataset)

    assert log.read_text() == text


def test_another_configuration_is_refused_with_what_differs(tmp_path, dataset):
    trained(tmp_path, dataset)

    with pytest.raises(FingerprintError, match=r"config\.recipe\.learning_rate 0\.1, now 0\.2"):
        trained(tmp_path, dataset, "recipe.learning_rate=0.2")


def test_another_dataset_in_the_same_place_is_refused(tmp_path):
    write_dataset(tmp_path / "data", identities=10, per_identity=6)
    trained(tmp_path, tmp_path / "data")
    write_dataset(tmp_path / "data", identities=10, per_identity=8)

    with pytest.raises(FingerprintError, match=r"dataset\.images 60, now 80"):
        trained(tmp_path, tmp_path / "data")


def test_a_folder_with_other_things_is_left_alone(tmp_path, dataset):
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "thesis.tex").write_text("years of work")

    with pytest.raises(RunError, match=r"has 'thesis\.tex' and is no training"):
        trained(tmp_path, dataset)


def test_two_trainings_in_one_folder_are_refused(tmp_path, dataset):
    from pipelines.folder_lock import folder_lock

    (tmp_path / "training").mkdir()
    with folder_lock(tmp_path / "training", "train.lock"), pytest.raises(RunLockedError, match="works on it"):
        trained(tmp_path, dataset)


def test_labels_with_gaps_stop_before_anything_is_written(tmp_path):
    write_dataset(tmp_path / "data", identities=3, per_identity=4, labels=[0] * 4 + [2] * 4 + [3] * 4)

    with pytest.raises(ShardError, match="label 1 has no image"):
        trained(tmp_path, tmp_path / "data")

    assert not (tmp_path / "training" / "train.json").exists()


def test_a_class_with_one_image_is_refused(tmp_path):
    write_dataset(tmp_path / "data", identities=6, per_identity=2, labels=[0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 4, 5])

    with pytest.raises(ConfigError, match=r"label 5 has 1"):
        trained(tmp_path, tmp_path / "data")


def test_balanced_batches_train_a_triplet(tmp_path, dataset):
    _, lines = trained(tmp_path, dataset, "head={type: triplet}", "data.images_per_identity=3")

    assert lines[-1]["equal_error_rate"] < 0.6


def test_the_log_of_a_killed_training_ends_as_that_of_a_whole_one(tmp_path, dataset):
    config = write_config(tmp_path, dataset)
    overrides = ["--set", "recipe.steps=40", "--set", "recipe.checkpoint_every=2", "--set", "recipe.log_every=1"]
    common = [str(config), "--workers", "0", "--threads", "1", *overrides]
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert synth("train", *common, "--run-dir", whole).returncode == 0

    command = [sys.executable, "-m", "pipelines", "train", *common, "--run-dir", str(broken)]
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL, preexec_fn=heed_ctrl_c
    )
    while not (broken / "checkpoint").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert synth("train", *common, "--run-dir", broken).returncode == 0

    logs = [[json.loads(line) for line in (path / "log.jsonl").read_text().splitlines()] for path in (whole, broken)]
    for line in [*logs[0], *logs[1]]:
        line.pop("seconds")
        line.pop("cpu_seconds")
    assert logs[0] == logs[1]
    assert (whole / "checkpoint" / "model.safetensors").read_bytes() == (
        broken / "checkpoint" / "model.safetensors"
    ).read_bytes()


def test_several_processes_share_a_training(tmp_path, dataset):
    config = write_config(tmp_path, dataset)
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port", free_port()]
    arguments = ["-m", "pipelines", "train", config, "--run-dir", tmp_path / "training", "--workers", "0"]
    arguments += ["--threads", "1", "--set", "recipe.batch_size=6"]

    done = subprocess.run(
        list(map(str, [*launch, *arguments])),
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT), "HF_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        timeout=300,
    )

    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in (tmp_path / "training" / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if "loss" in line] == [2, 4, 6, 8]
    assert done.stdout.count("equal error rate") == 1
    assert read_description(tmp_path / "training" / "model.safetensors").embedding_size == 16


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def test_the_command_line_says_what_was_made(tmp_path, dataset):
    done = synth("train", write_config(tmp_path, dataset), "--run-dir", tmp_path / "training", "--workers", "1")

    assert done.returncode == 0, done.stderr
    assert "equal error rate" in done.stdout
    assert "step       8" in done.stderr


def test_the_command_line_fails_with_a_sentence(tmp_path):
    done = synth("train", write_config(tmp_path, tmp_path / "nowhere"), "--run-dir", tmp_path / "training")

    assert done.returncode == 1
    assert done.stderr.strip().endswith("no .tar files; name the folder that the exporter `webdataset` made")
