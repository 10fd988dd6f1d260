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


def torch_device(device: str) -> str:
    """Returns a device if torch can use it, else 'cpu': for work that numpy does as well.

    A renderer's GPU needs no torch, so that torch may be missing, or be made for the CPU alone.

    Args:
        device: like 'cpu' or 'cuda:0'.
    """
    if device == "cpu" or importlib.util.find_spec("torch") is None:
        return "cpu"
    import torch

    return device if torch.cuda.is_available() else "cpu"
