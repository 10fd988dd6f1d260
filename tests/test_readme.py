import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer
import yaml

from pipelines.cli import app
from synth.components import ComponentSpec, available, build
from synth.images import decode_image
from synth.shards.table import read_table
from synth.shards.tar import TarReader
from synth.spaces import SPACES
from tests.synth.training.faces import write_dataset
from tests.toy import CONFIG, run_toy

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.fixture
def my_lab(tmp_path, monkeypatch):
    """A package outside the repository with the README's filter in it."""
    package = tmp_path / "my_lab"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "brightness.py").write_text(next(block for block in _blocks("python") if "(Filter)" in block))
    monkeypatch.syspath_prepend(tmp_path)
    yield package
    for name in [name for name in sys.modules if name.partition(".")[0] == "my_lab"]:
        del sys.modules[name]


def test_filter_of_the_readme_works_in_a_run(tmp_path, my_lab):
    text = CONFIG.replace("  - {type: near_duplicate, max: 0.999}", "  - {type: my_lab.brightness, min: 0, max: 255}")
    assert "my_lab" in text

    run, _ = run_toy(tmp_path / "run", text=text)

    table = read_table(run.shard("measure", 0) / "samples.parquet")
    found = np.flatnonzero(table["found"])
    with TarReader(run.shard("measure", 0) / "aligned.tar") as tar:
        offset, size = int(table["aligned_offset"][found[0]]), int(table["aligned_size"][found[0]])
        stored = decode_image(tar.read(offset, size))
    assert table["brightness"][found[0]] == pytest.approx(stored.mean(), abs=1.0)
    assert np.isnan(table["brightness"][~table["found"]]).all()
    assert not table["found"].all()


def test_a_run_from_python_works_as_the_readme_says(tmp_path):
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "demo.yaml").write_text(CONFIG)
    (code,) = [block for block in _blocks("python") if "pipelines.library" in block]
    assert "workers=4" in code

    done = subprocess.run(
        [sys.executable, "-c", code.replace('"identities.count": 200', '"identities.count": 12').replace("=4", "=2")],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip().endswith("images of 12 identities in runs/demo/dataset")


def test_datasets_load_as_the_readme_says(tmp_path):
    run_toy(tmp_path / "runs" / "demo")
    blocks = [block for block in _blocks("python") if "train" in block and "runs/demo/dataset" in block]
    assert len(blocks) == 2
    code = "\n".join([*blocks, "image, label = next(iter(train))", "print(image.shape, label)"])

    environment = os.environ | {"HF_HOME": str(tmp_path / "cache"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )

    assert re.fullmatch(r"\(112, 112, 3\) \d+", done.stdout.strip())


def test_bounds_of_the_readme_are_taken(my_lab):
    (section,) = yaml.safe_load(_blocks("yaml")[0])["filters"]

    brightness = build(ComponentSpec("filter", f"my_lab.{section.pop('type')}", section))

    assert brightness.passes(np.array([39, 40, 220, 221, np.nan], np.float32)).tolist() == [
        False,
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_of_a_page_exist(page):
    commands = set(re.findall(r"^synth ([\w-]+)", "\n".join(_blocks("bash", page.read_text())), re.MULTILINE))

    assert commands <= set(typer.main.get_command(app).commands)
    assert "run" in commands


def test_targets_of_the_readme_exist():
    targets = set(re.findall(r"(?:^|`)make ([\w-]+)", README, re.MULTILINE))

    makefile = (ROOT / "Makefile").read_text()
    assert {"demo", "test", "check", "bench"} <= targets
    assert [target for target in targets if f"\n{target}:" not in makefile] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_files_of_a_page_exist(page):
    text = page.read_text()
    links = [page.parent / link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    named = [ROOT / path for path in re.findall(r"`((?:benchmarks|tests|configs)/[\w./]+\.(?:py|yaml))`", text)]
    named += [ROOT / path for path in re.findall(r"\b(configs/[\w./]+\.yaml)", text)]

    assert len(links) >= 3
    assert [path for path in [*links, *named] if not path.exists()] == []


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "docs" / "generators.md"], ids=lambda page: page.name)
def test_spaces_generators_and_samplers_of_a_page_exist(page):
    text = page.read_text()
    names = set(re.findall(r"`([a-z0-9_]+)`", text))

    spaces = {name for name in names if re.match(r"(arcface|elasticface)_", name)}
    assert spaces == {"arcface_webface42m", "arcface_glint360k", "elasticface_ms1mv2"}
    assert spaces <= SPACES.keys()
    assert {"arc2face", "vec2face", "idiff"} <= names & set(available("generator"))


def test_the_page_on_training_names_every_backbone_head_and_exporter():
    names = set(re.findall(r"`([a-z0-9_]+)`", (ROOT / "docs" / "training.md").read_text()))

    for kind in ("backbone", "head", "exporter"):
        assert set(available(kind)) <= names, kind


def test_the_feed_works_as_the_page_on_training_says(tmp_path):
    write_dataset(tmp_path / "runs" / "demo" / "dataset", identities=4, per_identity=8)
    (block,) = _blocks("python", (ROOT / "docs" / "training.md").read_text())
    code = block.replace("batch_size=256", "batch_size=16") + "print(tuple(images.shape), labels.dtype)"

    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == "(16, 112, 112, 3) torch.int64"


def test_each_benchmark_is_named():
    scripts = {path.name for path in (ROOT / "benchmarks").glob("*.py") if path.name != "__init__.py"}

    assert [name for name in sorted(scripts) if f"benchmarks/{name}" not in README] == []


def _blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
