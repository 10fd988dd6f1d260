"""The design, held by tests."""

import ast
import inspect
import os
import subprocess
import sys

import pytest

from synth.components import KINDS, available, resolve
from tests.toy import ROOT

PACKAGES = ("synth", "filters", "pipelines")
FILES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
HEAVY = ("torch", "warp", "onnxruntime", "pyarrow", "matplotlib", "scipy", "PIL", "numpy")
NO_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "core", "tools"}


def in_another_process(code):
    """Runs Python code in the project's root."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)


def test_imports_keep_to_their_floors():
    pytest.importorskip("importlinter.cli", reason="import-linter is not installed")
    # In a process of its own: the linter switches off all loggers that it finds.
    settings = f"config_filename={str(ROOT / 'pyproject.toml')!r}, no_cache=True"
    code = f"import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports({settings}))"

    result = in_another_process(code)

    assert result.returncode == 0, result.stdout + result.stderr


def test_the_command_line_imports_nothing_heavy():
    code = f"import sys, pipelines.cli; print([name for name in {HEAVY!r} if name in sys.modules])"

    result = in_another_process(code)

    assert result.stdout.strip() == "[]", result.stderr


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in KINDS for name in available(kind)])
def test_each_component_is_the_one_class_of_its_file_and_says_what_it_is(kind, name):
    component = resolve(kind, name)

    assert inspect.getdoc(component)
    assert inspect.getmodule(component).__doc__


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_says_what_it_is_for_and_is_named_for_it(path):
    tree = ast.parse(path.read_text())

    assert path.stem not in NO_NAMES
    assert ast.get_docstring(tree) or path.name == "__init__.py"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_public_functions_are_annotated_and_none_is_longer_than_sixty_lines(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.FunctionDef):
            continue
        lines = node.end_lineno - node.lineno + 1 - _docstring_lines(node)
        if "kernels" in path.parts:  # GPU code: its types are Warp's, and a kernel cannot always be cut
            continue
        assert lines <= 60, f"{path.name}: {node.name} has {lines} lines"
        if not node.name.startswith("_"):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            bare = [a.arg for a in arguments if a.annotation is None and a.arg not in ("self", "cls")]
            assert not bare, f"{path.name}: {node.name}: {bare}"
            assert node.returns is not None, f"{path.name}: {node.name} says not what it returns"


def test_only_the_command_line_prints():
    for path in FILES:
        calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
        prints = [node.lineno for node in calls if isinstance(node.func, ast.Name) and node.func.id == "print"]
        assert not prints or path.parent.name == "commands", f"{path}: {prints}"


def _docstring_lines(node: ast.FunctionDef) -> int:
    first = node.body[0]
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return first.end_lineno - first.lineno + 1 if is_docstring and isinstance(first.value.value, str) else 0
