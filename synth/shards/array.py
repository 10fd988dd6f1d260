"""Plain numpy arrays in .npy files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


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
