"""What a fault came to: a line that says how it ended, or one of two exceptions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

Case: TypeAlias = Callable[[Path], str]
"""Puts a fault into an empty folder; returns how it ended, raises BadOutcomeError or SkippedError."""


class BadOutcomeError(Exception):
    """A fault ended in something else than a clear error or a correct result."""


class SkippedError(Exception):
    """A fault cannot be made here; the message says why."""


def require(condition: object, message: str) -> None:
    """Raises BadOutcomeError unless the condition holds."""
    if not condition:
        raise BadOutcomeError(message)
