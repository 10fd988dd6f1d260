"""Reads files of `torch.save` with torch's restricted unpickler, and says in our words why one cannot be read.

Torch's own words tell the reader to switch the restriction off; ours must not.
"""

from __future__ import annotations

import pickle
import re
import struct
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import torch

Allowed = Callable[..., Any] | tuple[Callable[..., Any], str]

# What the unpickler raises where a file is damaged: it runs what the bytes say, on a stack of whatever they left there.
_DAMAGE: Final = (
    RuntimeError, EOFError, OSError, ValueError, LookupError, TypeError, AttributeError, AssertionError,
    OverflowError, struct.error,
)  # fmt: skip

_NAMED: Final = re.compile(r"GLOBAL (\S+)")
_OF_TORCH: Final = "Weights only load failed"


class UnreadableError(Exception):
    """A file cannot be read: it is damaged, or holds what is not let in; the message says why, and no file name."""


class RefusedError(UnreadableError):
    """What is in the file is no plain data, or no longer."""


def unpickle(path: Path, allowed: Sequence[Allowed] = ()) -> Any:  # noqa: ANN401
    """Returns what `torch.save` wrote to a file, its tensors on the CPU; runs no code of it.

    Args:
        path: of the file.
        allowed: classes and functions it may name, beside tensors and Python's own plain data.

    Raises:
        RefusedError: it names something else, or is no pickle of plain data.
        UnreadableError: it is missing, damaged or cut short.
    """
    try:
        with torch.serialization.safe_globals(list(allowed)), warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Detected pickle protocol")  # it is read, or refused below
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise RefusedError(_refusal(str(error))) from error
    except _DAMAGE as error:
        raise UnreadableError(_damage(error)) from error


def _refusal(message: str) -> str:
    named = _NAMED.search(message)
    if named:
        return f"it names {named[1]}"
    return "it is no pickle of tensors" if message.startswith(_OF_TORCH) else _first_line(message)


def _damage(error: Exception) -> str:
    """Returns a reason; where Python's own is about the unpickler's stack it says nothing about the file."""
    if isinstance(error, OSError):
        return error.strerror or _first_line(str(error))
    if isinstance(error, (RuntimeError, EOFError, ValueError)) and str(error).strip():
        return _first_line(str(error))
    return "it is no pickle of tensors"


def _first_line(message: str) -> str:
    return message.strip().splitlines()[0].strip() if message.strip() else "no reason given"
