"""Packages that only some components need: what to install where one is missing."""

from __future__ import annotations

import importlib.util

from synth.errors import ComponentError


def require_extra(extra: str, *modules: str) -> None:
    """Checks that the packages of an extra are installed, without importing them.

    Args:
        extra: name in pyproject.toml, like 'diffusion'.
        modules: names they are imported by, like 'torch'.

    Raises:
        ComponentError: naming the missing ones and the command that installs them.
    """
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        raise ComponentError(f"needs {', '.join(missing)}, not installed here: pip install 'synth[{extra}]'")
