"""A run from Python."""

import os
import subprocess
import sys

import pytest
import yaml

from pipelines.library import run
from synth.errors import ConfigError
from tests.toy import CONFIG, ROOT, run_toy, tree


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "toy.yaml"
    path.write_text(CONFIG)
    return path


def test_a_script_without_a_guard_makes_the_bytes_of_the_command_line(config, tmp_path):
    expected, _ = run_toy(tmp_path / "expected" / "run", "identities.count=7")
    script = tmp_path / "script.py"
    script.write_text(
        "print('began')\n"
        "from pipelines.library import run\n"
        f"made = run({str(config)!r}, 'found/run', overrides={{'identities.count': 7}}, workers=2)\n"
        "print(made.samples, made.identities, made.num_made)\n"
    )

    done = subprocess.run(
        [sys.executable, script],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "3"},
        capture_output=True,
        text=True,
        check=True,
    )

    began, made = done.stdout.splitlines()  # the script ran once, not in each worker
    assert began == "began"
    assert made.split()[1:] == ["7", "10"]
    assert tree(tmp_path / "found" / "run") == tree(expected.root)


def test_a_configuration_may_be_a_mapping_and_a_finished_run_does_nothing(config, tmp_path):
    first = run(yaml.safe_load(CONFIG), tmp_path / "run", until="generate")
    second = run(config, tmp_path / "run", until="generate")

    assert (first.num_made, second.num_made) == (5, 0)


def test_mistakes_are_told_with_the_key(tmp_path):
    config = yaml.safe_load(CONFIG)
    config["images"]["batch_size"] = "8"

    with pytest.raises(ConfigError, match=r"config:\d+: images.batch_size: input should be a valid integer, got '8'"):
        run(config, tmp_path / "run")

    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("option", ["redo", "until"])
def test_an_unknown_stage_is_told(config, tmp_path, option):
    with pytest.raises(ConfigError, match=f"{option}: no stage named 'mesure'; stages are sample, generate"):
        run(config, tmp_path / "run", **{option: "mesure"})


def test_progress_is_shown_if_asked_for(config, tmp_path, capfd):
    run(config, tmp_path / "run", until="sample")
    silent = capfd.readouterr()
    run(config, tmp_path / "run", until="generate", show_progress=True)

    assert (silent.out, silent.err) == ("", "")
    assert "60 images" in capfd.readouterr().err
