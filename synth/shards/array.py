"""Plain numpy arrays in .npy files."""

from __future__ import annotations

from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
import numpy.typing as npt

from synth.errors import ShardError


def write_array(path: Path, array: npt.NDArray[Any]) -> None:
    """Writes the same bytes as `np.save`.

    Where the disk is full the error says so: that of `np.save` has no errno, only how many numbers were written.

    Raises:
        OSError: the file cannot be written.
    """
    contiguous = np.ascontiguousarray(array)
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(contiguous))
        file.write(contiguous.data)


def read_array(path: Path) -> npt.NDArray[Any]:
    """Maps what `write_array` wrote.

    Returns:
        The array, read-only, its numbers read from the file as they are needed.

    Raises:
        ShardError: the file is missing or damaged.
    """
    try:
        return np.asarray(np.load(path, mmap_mode="r"))
    except (OSError, EOFError, ValueError, OverflowError, TokenError) as error:  # numpy takes the header for Python
        raise ShardError(f"{path}: cannot be read as an array ({_reason(error)}); make the shard again") from error


def _reason(error: Exception) -> str:
    """Returns what numpy says, but not its way to run the code of a file that is no array."""
    return "it is no array of numbers" if "pickle" in str(error) else str(error)
