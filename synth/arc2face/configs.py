"""Reads the small files that describe the parts of a published model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from synth.errors import WeightsError
from synth.plain_json import read_plain_json


def read_config(path: Path) -> dict[str, Any]:
    """Returns the settings in a JSON file.

    Raises:
        WeightsError: the file is missing, or holds something else.
    """
    try:
        content = read_plain_json(read_text(path))
    except ValueError as error:
        raise WeightsError(f"{path}: cannot be read ({error}); get it again") from error
    if not isinstance(content, dict):
        raise WeightsError(f"{path}: holds a {type(content).__name__}, expected settings by name; get it again")
    return content


def read_text(path: Path) -> str:
    """Returns the text in a file.

    Raises:
        WeightsError: the file is missing or holds no text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise WeightsError(f"{path}: missing; `synth weights CONFIG` says how to get it") from error
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path}: cannot be read ({error}); get it again") from error
