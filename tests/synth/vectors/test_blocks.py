import numpy as np
import pyarrow as pa
import pytest

from synth.errors import VectorsError
from synth.vectors.blocks import vector_blocks
from tests.synth.vectors.test_files import VECTORS, WRITERS, broken, parquet


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_blocks_are_the_rows_in_order(tmp_path, suffix, size):
    path = tmp_path / f"v{suffix}"
    WRITERS[suffix](path)

    blocks = list(vector_blocks(path, size=size))

    assert [len(block) for block in blocks] == [min(size, 7 - start) for start in range(0, 7, size)]
    assert (np.concatenate(blocks) == VECTORS).all()


@pytest.mark.parametrize("suffix", WRITERS)
def test_torn_files_and_unknown_keys_are_refused(tmp_path, suffix):
    path = tmp_path / f"v{suffix}"
    WRITERS[suffix](path)

    with pytest.raises(VectorsError, match=r"no array 'other'|leave it out"):
        list(vector_blocks(path, "other"))
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(VectorsError, match="cannot be read"):
        list(vector_blocks(path, size=2))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (broken(5, np.nan), r"row 5 has NaN"),
        (broken(4, 0), "row 4 is all zeros"),
        (VECTORS[0], r"got shape \(5,\)"),
        (VECTORS[:0], r"got shape \(0, 5\)"),
        (VECTORS.astype(np.int32), "expected floats"),
    ],
)
def test_bad_rows_are_named_by_their_place_in_the_file(tmp_path, array, message):
    np.save(tmp_path / "v.npy", array)

    with pytest.raises(VectorsError, match=message):
        list(vector_blocks(tmp_path / "v.npy", size=2))


def test_lists_of_several_lengths_are_refused_across_blocks(tmp_path):
    parquet(tmp_path / "v.parquet", a=pa.array([[1.0, 2.0], [1.0, 2.0], [1.0], [1.0]], pa.list_(pa.float32())))

    with pytest.raises(VectorsError, match="row 2 has 1 numbers, the first ones 2"):
        list(vector_blocks(tmp_path / "v.parquet", size=2))


def test_a_parquet_file_without_rows_is_refused(tmp_path):
    parquet(tmp_path / "v.parquet", a=pa.array([], pa.list_(pa.float32())))

    with pytest.raises(VectorsError, match="has no rows"):
        list(vector_blocks(tmp_path / "v.parquet"))
