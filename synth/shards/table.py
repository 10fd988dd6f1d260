"""Columns of numpy arrays in parquet files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from synth.errors import ShardError

Column = npt.NDArray[Any]


def write_table(path: Path, columns: Mapping[str, Column], row_group_sizes: Sequence[int] | None = None) -> None:
    """Writes columns as a parquet file; the same columns give the same bytes.

    Args:
        path: of the file.
        columns: (B,) arrays of bool, integers, floats or strings, and (B, K) arrays of numbers, which become
            fixed-size lists. All have the same B.
        row_group_sizes: rows of each row group, in order; they sum up to B. One group if None.

    Raises:
        ValueError: lengths differ, a column has another rank, or the row groups do not sum up to B.
    """
    table = pa.table({name: _to_arrow(name, column) for name, column in _checked(columns).items()})
    sizes = [table.num_rows] if row_group_sizes is None else list(row_group_sizes)
    if sum(sizes) != table.num_rows or min(sizes, default=0) < 0:
        raise ValueError(f"{path}: row groups of {sum(sizes)} rows for a table of {table.num_rows}")
    # Dictionaries are for values that repeat. Embeddings do not: with one they are 3 % larger and read 3 times as slow.
    repeated = [name for name, column in columns.items() if column.ndim == 1]
    with pq.ParquetWriter(path, table.schema, compression="zstd", use_dictionary=repeated) as writer:
        start = 0
        for size in sizes:
            writer.write_table(table.slice(start, size), row_group_size=max(size, 1))
            start += size


def read_table(
    path: Path, columns: Sequence[str] | None = None, row_group: int | None = None
) -> dict[str, npt.NDArray[Any]]:
    """Reads columns of a parquet file.

    Args:
        path: of the file.
        columns: names, in the order wanted; all if None.
        row_group: which row group to read; all if None.

    Returns:
        (B,) and (B, K) arrays by name, with the dtypes they were written with. Treat them as read-only: some are
        views of what was read.

    Raises:
        ShardError: the file is missing or damaged, or lacks a column or the row group.
    """
    try:
        with pq.ParquetFile(path) as file:
            missing = sorted(set(columns or ()) - set(file.schema_arrow.names))
            if missing:
                raise ShardError(f"{path}: no column {', '.join(missing)}; it has {', '.join(file.schema_arrow.names)}")
            if row_group is None:
                table = file.read(columns)
            elif 0 <= row_group < file.num_row_groups:
                table = file.read_row_group(row_group, columns)
            else:
                raise ShardError(f"{path}: no row group {row_group}; it has {file.num_row_groups}")
    except (OSError, pa.ArrowException) as error:
        raise ShardError(f"{path}: cannot be read as a table ({error}); make the shard again") from error
    return {name: _to_numpy(path, name, table[name]) for name in columns or table.column_names}


def num_rows(path: Path) -> int:
    """Returns the number of rows of a parquet file, from its footer.

    Raises:
        ShardError: the file is missing or damaged.
    """
    try:
        return int(pq.read_metadata(path).num_rows)
    except (OSError, pa.ArrowException) as error:
        raise ShardError(f"{path}: cannot be read as a table ({error}); make the shard again") from error


def column_names(path: Path) -> list[str]:
    """Returns the names of a parquet file's columns, in order, from its footer.

    Raises:
        ShardError: the file is missing or damaged.
    """
    try:
        return list(pq.read_schema(path).names)
    except (OSError, pa.ArrowException) as error:
        raise ShardError(f"{path}: cannot be read as a table ({error}); make the shard again") from error


def _checked(columns: Mapping[str, Column]) -> Mapping[str, Column]:
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"columns of different lengths: {lengths}")
    return columns


def _to_arrow(name: str, column: Column) -> pa.Array:
    if column.ndim == 1:
        return pa.array(column, pa.string() if column.dtype.kind in "UO" else None)
    if column.ndim == 2 and column.shape[1] > 0 and column.dtype.kind in "biuf":
        return pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(column).ravel()), column.shape[1])
    raise ValueError(f"column '{name}': expected (B,) or numbers (B, K > 0), got {column.dtype} {column.shape}")


def _to_numpy(path: Path, name: str, column: pa.ChunkedArray) -> npt.NDArray[Any]:
    if column.null_count:
        raise ShardError(f"{path}: column '{name}' has {column.null_count} empty cells; our tables have none")
    array = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    if pa.types.is_fixed_size_list(column.type):
        flat = array.flatten().to_numpy(zero_copy_only=False)
        return np.asarray(flat).reshape(len(array), column.type.list_size)
    if pa.types.is_string(column.type):
        distinct = array.dictionary_encode()  # of reasons there are few, and millions of rows
        names: npt.NDArray[np.str_] = np.array(distinct.dictionary.to_pylist(), dtype=np.str_)
        indices: npt.NDArray[np.int32] = distinct.indices.to_numpy()
        return names[indices]
    return np.asarray(array.to_numpy(zero_copy_only=False))
