"""Reads the vectors of a large file some rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
import safetensors

from synth.errors import VectorsError
from synth.types import Vectors
from synth.vectors.files import checked, choose, list_column, readable, refuse_other_npy, rows_of_lists


def vector_blocks(path: Path, key: str | None = None, size: int = 4096) -> Iterator[Vectors]:
    """Yields the rows of a vector file in order, at most `size` at a time; an .npz array is read whole.

    Args:
        path: as `synth.vectors.files.read_vectors` takes it.
        key: likewise.
        size: rows of a block, >= 1.

    Yields:
        float32 (at most size, D); finite, no row of zeros; there is at least one block.

    Raises:
        VectorsError: as `read_vectors` does, when the reading gets there.
    """
    arrays = {".npy": _of_npy, ".npz": _of_npz, ".safetensors": _of_safetensors, ".parquet": _of_parquet}
    first_row, dimension = 0, None
    with readable(path):
        for array in arrays[path.suffix](path, key, size):
            block = checked(path, array, first_row)
            if dimension not in (None, block.shape[1]):
                raise VectorsError(
                    f"{path}: row {first_row} has {block.shape[1]} numbers, the first ones {dimension}; "
                    "all vectors must have one length"
                )
            yield block
            first_row, dimension = first_row + len(block), block.shape[1]
    if first_row == 0:
        raise VectorsError(f"{path}: has no rows")


def _of_npy(path: Path, key: str | None, size: int) -> Iterator[npt.NDArray[Any]]:
    refuse_other_npy(path, key)
    yield from _cut(np.load(path, mmap_mode="r", allow_pickle=False), size)


def _of_npz(path: Path, key: str | None, size: int) -> Iterator[npt.NDArray[Any]]:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        whole = arrays[choose(path, key, arrays.files)]
    yield from _cut(whole, size)


def _cut(array: npt.NDArray[Any], size: int) -> Iterator[npt.NDArray[Any]]:
    if array.ndim != 2 or len(array) <= size:
        yield array
        return
    for start in range(0, len(array), size):
        yield array[start : start + size]


def _of_safetensors(path: Path, key: str | None, size: int) -> Iterator[npt.NDArray[Any]]:
    with safetensors.safe_open(path, framework="numpy") as tensors:
        name = choose(path, key, list(tensors.keys()))
        rows = tensors.get_slice(name)
        shape = rows.get_shape()
        if len(shape) != 2 or shape[0] <= size:
            yield tensors.get_tensor(name)
            return
        for start in range(0, shape[0], size):
            yield rows[start : min(start + size, shape[0])]


def _of_parquet(path: Path, key: str | None, size: int) -> Iterator[npt.NDArray[Any]]:
    with pq.ParquetFile(path) as file:
        name = list_column(path, file, key)
        for batch in file.iter_batches(size, columns=[name]):
            yield rows_of_lists(path, name, batch.column(0))
