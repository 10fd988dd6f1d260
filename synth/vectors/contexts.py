"""Files of identity contexts as IDiff-Face and its successors publish them: pickled by torch, though named .npy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from synth.errors import VectorsError
from synth.types import Vectors
from synth.weights.unpickling import Allowed, RefusedError, UnreadableError, unpickle

# A pickled numpy array names the function that makes it and its dtype, nothing else; of numpy 1 under an older name.
_RECONSTRUCT: Callable[..., Any] = getattr(np.empty(0), "__reduce__")()[0]  # noqa: B009, its stub knows only str
_FLOATS = [type(np.dtype(name)) for name in ("float16", "float32", "float64")]
_HARMLESS: list[Allowed] = [
    np.ndarray,
    np.dtype,
    *_FLOATS,
    (_RECONSTRUCT, "numpy.core.multiarray._reconstruct"),
    (_RECONSTRUCT, "numpy._core.multiarray._reconstruct"),
]


def read_contexts(path: Path) -> Vectors:
    """Reads the vectors of a file that `torch.save` wrote of a dictionary: names to vectors; runs no code of it.

    Args:
        path: as published with IDiff-Face (Boutros et al. 2023), like random_synthetic_uniform_15000.npy.

    Returns:
        float32 (N, D), in the file's order, with N, D >= 1.

    Raises:
        VectorsError: the file is missing or damaged, would run code, or holds anything but float vectors of one size.
    """
    try:
        content = unpickle(path, _HARMLESS)
    except RefusedError as error:
        raise VectorsError(
            f"{path}: refused, it is damaged or reading it would run code ({error}); "
            "get it again, or its vectors as a plain .npy array"
        ) from error
    except UnreadableError as error:
        raise VectorsError(f"{path}: cannot be read as a file of contexts ({error}); get it again") from error
    if not isinstance(content, dict) or not content:
        raise VectorsError(f"{path}: expected a dictionary of vectors, it holds a {type(content).__name__}")
    return np.stack(_rows(path, content.items()))


def _rows(path: Path, items: Iterable[tuple[Any, Any]]) -> list[Vectors]:
    rows: list[Vectors] = []
    for name, value in items:
        row = value.numpy() if isinstance(value, torch.Tensor) else value
        if not isinstance(row, np.ndarray) or row.dtype.kind != "f" or row.ndim != 1 or row.size == 0:
            found = f"{row.dtype} {row.shape}" if isinstance(row, np.ndarray) else type(value).__name__
            raise VectorsError(f"{path}: context '{name}' is {found}, expected a vector of floats")
        if rows and row.size != rows[0].size:
            raise VectorsError(f"{path}: context '{name}' has {row.size} numbers, the first one {rows[0].size}")
        rows.append(row.astype(np.float32))
    return rows
