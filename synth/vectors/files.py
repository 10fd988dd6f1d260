"""Reads vectors and their labels from the files that other tools write: .npy, .npz, .safetensors and .parquet."""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import safetensors

from synth.errors import VectorsError
from synth.types import Vectors

SUFFIXES = (".npy", ".npz", ".safetensors", ".parquet")

# What the readers raise where a file is damaged or made to harm: numpy takes its header for Python and its shape for
# memory to ask for, safetensors looks the dtype up in numpy.
READERS_ERRORS = (
    OSError, EOFError, ValueError, TypeError, MemoryError, OverflowError, AttributeError, tokenize.TokenError,
    zipfile.BadZipFile, zlib.error, pa.ArrowException, safetensors.SafetensorError,
)  # fmt: skip


def read_vectors(path: Path, key: str | None = None) -> Vectors:
    """Reads vectors from a file.

    Args:
        path: of an .npy, .npz, .safetensors or .parquet file.
        key: name of the array in an .npz or .safetensors file, or of the list column in a parquet file; may be left
            out where the file has only one.

    Returns:
        float32 (N, D), with N, D >= 1; finite, no row of zeros.

    Raises:
        VectorsError: the file is missing or damaged, has another suffix, needs unpickling or lacks the key; or the
            array has another rank, is not of floats, or has rows of zeros, NaN or infinities.
    """
    with readable(path):
        readers = {".npy": _read_npy, ".npz": _read_npz, ".safetensors": _read_safetensors, ".parquet": _read_parquet}
        array = readers[path.suffix](path, key)
    return checked(path, array)


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turns what goes wrong while a vector file is read into one kind of error.

    Raises:
        VectorsError: the file is missing, of another kind, or the block could not read it.
    """
    if path.suffix not in SUFFIXES:
        raise VectorsError(f"{path}: unknown kind of vector file; expected {', '.join(SUFFIXES)}")
    if not path.is_file():
        raise VectorsError(f"{path}: no such file")
    try:
        yield
    except READERS_ERRORS as error:
        raise VectorsError(
            f"{path}: cannot be read ({reason_of(error)}); pickled objects are refused, save plain arrays"
        ) from error


def reason_of(error: Exception) -> str:
    """Returns what a reader's error says; numpy's words on pickles, which tell how to run their code, are replaced."""
    return "it is no array of numbers" if "pickle" in str(error) else str(error)


def _read_npy(path: Path, key: str | None) -> npt.NDArray[Any]:
    refuse_other_npy(path, key)
    with path.open("rb") as file:
        return np.asarray(np.load(file, allow_pickle=False))


def refuse_other_npy(path: Path, key: str | None) -> None:
    """Refuses a key, which an .npy file has no use for, and files of torch under that suffix.

    Raises:
        VectorsError: either is the case.
    """
    if key is not None:
        raise VectorsError(f"{path}: key '{key}' given, but an .npy file holds one array without a name; leave it out")
    with path.open("rb") as file:
        if file.read(2) == b"PK":  # a zip archive: IDiff-Face and its successors give such files this suffix
            raise VectorsError(
                f"{path}: was pickled by torch, it is no numpy array; `synth weights convert {path} OUT.npy` makes one"
            )


def _read_npz(path: Path, key: str | None) -> npt.NDArray[Any]:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return np.asarray(arrays[choose(path, key, arrays.files)])


def _read_safetensors(path: Path, key: str | None) -> npt.NDArray[Any]:
    with safetensors.safe_open(path, framework="numpy") as tensors:
        return np.asarray(tensors.get_tensor(choose(path, key, list(tensors.keys()))))


def _read_parquet(path: Path, key: str | None) -> npt.NDArray[Any]:
    with pq.ParquetFile(path) as file:
        name = list_column(path, file, key)
        column = file.read([name])[name].combine_chunks()
    if len(column) == 0:
        raise VectorsError(f"{path}: has no rows")
    return rows_of_lists(path, name, column)


def list_column(path: Path, file: pq.ParquetFile, key: str | None) -> str:
    """Returns the name of the list column that holds the vectors."""
    return choose(path, key, [field.name for field in file.schema_arrow if _is_list(field.type)])


def rows_of_lists(path: Path, name: str, column: pa.Array) -> npt.NDArray[Any]:
    """Returns a list column, of at least one row, as an array (N, D).

    Raises:
        VectorsError: it has empty cells or lists of several lengths.
    """
    if column.null_count:
        raise VectorsError(f"{path}: column '{name}' has {column.null_count} empty cells; every row needs a vector")
    if pa.types.is_fixed_size_list(column.type):
        size = column.type.list_size
    else:
        sizes = np.unique(column.value_lengths().to_numpy())
        if len(sizes) != 1:
            raise VectorsError(
                f"{path}: column '{name}' has lists of {sizes.min()} to {sizes.max()} numbers, not of one length"
            )
        size = int(sizes[0])
    return np.asarray(column.flatten().to_numpy(zero_copy_only=False)).reshape(len(column), size)


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_fixed_size_list(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind))


def choose(path: Path, key: str | None, names: Sequence[str]) -> str:
    """Returns the key, or the only name there is.

    Raises:
        VectorsError: there is no such name, or there are several and no key.
    """
    if key is not None and key in names:
        return key
    listed = ", ".join(sorted(names)) or "nothing"
    if key is not None:
        raise VectorsError(f"{path}: no array '{key}'; it has {listed}")
    if len(names) != 1:
        raise VectorsError(f"{path}: has {listed}; choose one with `key`")
    return names[0]


def read_labels(path: Path, key: str) -> npt.NDArray[np.int64]:
    """Reads who each vector of a file shows.

    Args:
        path: of the .npz, .safetensors or .parquet file that holds the vectors.
        key: name of an array (N,) of integers or strings, or of such a column.

    Returns:
        int64 (N,), 0.. in the order of the labels; equal where the labels are.

    Raises:
        VectorsError: the file is missing, damaged or of another kind, lacks the key, or holds other values there.
    """
    with readable(path):
        readers = {".npy": _read_npy, ".npz": _read_npz, ".safetensors": _read_safetensors, ".parquet": _read_column}
        labels = readers[path.suffix](path, key)
    if labels.ndim != 1 or labels.dtype.kind not in "iuU":
        raise VectorsError(
            f"{path}: '{key}': expected integers or strings (N,), got {labels.dtype} of shape {labels.shape}"
        )
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def _read_column(path: Path, key: str | None) -> npt.NDArray[Any]:
    with pq.ParquetFile(path) as file:
        name = choose(path, key, file.schema_arrow.names)
        column = file.read([name])[name]
    if column.null_count:
        raise VectorsError(f"{path}: column '{name}' has {column.null_count} empty cells; every row needs a label")
    values = column.to_numpy()
    return values.astype(np.str_) if pa.types.is_string(column.type) else np.asarray(values)


def checked(path: Path, array: npt.NDArray[Any], first_row: int = 0) -> Vectors:
    """Returns an array (N, D) as float32 after checking rank, dtype and values.

    Args:
        path: of the file, for messages.
        array: all of it, or a block of rows.
        first_row: number of the block's first row in the file.

    Raises:
        VectorsError: it is no such array, is not of floats, or has rows of zeros, NaN or infinities.
    """
    if array.ndim != 2 or array.size == 0:
        raise VectorsError(f"{path}: expected an array (vectors, dimension), got shape {array.shape}")
    if array.dtype.kind != "f":
        raise VectorsError(f"{path}: expected floats, got {array.dtype}; save the vectors as float32")
    vectors: Vectors = array.astype(np.float32)
    broken = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(broken):
        raise VectorsError(
            f"{path}: row {first_row + broken[0]} has NaN or infinite numbers ({len(broken)} such rows); remove them"
        )
    zero = np.flatnonzero(~vectors.any(axis=1))
    if len(zero):
        raise VectorsError(
            f"{path}: row {first_row + zero[0]} is all zeros ({len(zero)} such rows): it has no direction; remove them"
        )
    return vectors
