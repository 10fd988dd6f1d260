import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EVERYTHING = [
    *PROJECT["dependencies"],
    *(text for extra in PROJECT["optional-dependencies"].values() for text in extra),
]
HEAVY = {"torch", "torchvision", "opencv-python", "opencv-python-headless", "diffusers", "transformers", "insightface"}


def test_base_install_pulls_neither_torch_nor_opencv():
    installed = _closure(PROJECT["dependencies"])

    assert "numpy" in installed
    assert installed & HEAVY == set()


def test_every_package_of_base_and_extras_has_a_pinned_version():
    on_request = set(PROJECT["optional-dependencies"]["timm"])  # not among what the tests install
    wanted = _closure([text for text in EVERYTHING if text not in on_request])

    assert wanted - set(_pins()) == set()


def test_pinned_versions_satisfy_the_project():
    pins = _pins()

    for text in EVERYTHING:
        requirement = Requirement(text)
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), text


def test_command_line_starts_without_heavy_packages():
    code = "import sys, pipelines.cli; print(*sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "pipelines" in loaded
    assert loaded & {"torch", "cv2", "warp", "onnxruntime", "datasets", "matplotlib"} == set()


def test_report_template_and_style_are_part_of_the_package():
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["*"]

    for file in (ROOT / "pipelines" / "reporting").iterdir():
        assert file.suffix in {".py", ""} or f"*{file.suffix}" in patterns, file


def _pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pairs = [re.fullmatch(r"([A-Za-z0-9._-]+)==(\S+)", line) for line in lines if not line.startswith("#")]
    return {canonicalize_name(pair[1]): pair[2] for pair in pairs if pair}


def _closure(requirements: list[str]) -> set[str]:
    """Returns canonical names of everything that pip would install for requirements, as the environment has it."""
    found: set[tuple[str, str]] = set()
    todo = [Requirement(text) for text in requirements]
    while todo:
        requirement = todo.pop()
        name = canonicalize_name(requirement.name)
        for extra in {"", *requirement.extras}:
            if (name, extra) not in found:
                found.add((name, extra))
                inner = [Requirement(text) for text in metadata.requires(requirement.name) or []]
                todo += [each for each in inner if each.marker is None or each.marker.evaluate({"extra": extra})]
    return {name for name, _ in found}
