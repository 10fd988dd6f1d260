import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import safetensors.numpy

from synth.errors import VectorsError
from synth.shards.table import write_table
from synth.vectors.files import read_labels, read_vectors

VECTORS = np.random.default_rng(0).standard_normal((7, 5)).astype(np.float32)


def parquet(path, **columns):
    pq.write_table(pa.table(columns), path)


WRITERS = {
    ".npy": lambda path: np.save(path, VECTORS),
    ".npz": lambda path: np.savez(path, vectors=VECTORS),
    ".safetensors": lambda path: safetensors.numpy.save_file({"vectors": VECTORS}, path),
    ".parquet": lambda path: write_table(path, {"identity": np.arange(7), "vectors": VECTORS}),
}


@pytest.mark.parametrize("suffix", WRITERS)
def test_each_kind_of_file_is_read(tmp_path, suffix):
    path = tmp_path / f"v{suffix}"
    WRITERS[suffix](path)

    found = read_vectors(path)

    assert found.dtype == np.float32
    assert (found == VECTORS).all()


@pytest.mark.parametrize("suffix", [".npz", ".safetensors", ".parquet"])
def test_a_missing_key_lists_the_keys(tmp_path, suffix):
    path = tmp_path / f"v{suffix}"
    WRITERS[suffix](path)

    assert (read_vectors(path, "vectors") == VECTORS).all()
    with pytest.raises(VectorsError, match="no array 'embedding'; it has vectors"):
        read_vectors(path, "embedding")


def test_several_arrays_need_a_key(tmp_path):
    np.savez(tmp_path / "v.npz", a=VECTORS, b=VECTORS)

    with pytest.raises(VectorsError, match="has a, b; choose one with `key`"):
        read_vectors(tmp_path / "v.npz")


def test_a_key_makes_no_sense_for_npy(tmp_path):
    WRITERS[".npy"](tmp_path / "v.npy")

    with pytest.raises(VectorsError, match="leave it out"):
        read_vectors(tmp_path / "v.npy", "vectors")


def test_lists_of_any_type_of_parquet_are_read(tmp_path):
    rows = VECTORS.tolist()
    parquet(tmp_path / "v.parquet", a=pa.array(rows), b=pa.array(rows, pa.large_list(pa.float64())))

    for key in ("a", "b"):
        np.testing.assert_allclose(read_vectors(tmp_path / "v.parquet", key), VECTORS)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[1.0, 2.0], [1.0]], "lists of 1 to 2 numbers"),
        ([[1.0, 2.0], None], "1 empty cells"),
        ([[1.0, 2.0], [1.0, None]], "row 1 has NaN"),
        ([], "has no rows"),
    ],
)
def test_ragged_or_empty_lists_are_refused(tmp_path, rows, message):
    parquet(tmp_path / "v.parquet", a=pa.array(rows, pa.list_(pa.float32())))

    with pytest.raises(VectorsError, match=message):
        read_vectors(tmp_path / "v.parquet")


def broken(row, value):
    array = VECTORS.copy()
    array[row] = value
    return array


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (VECTORS[0], r"expected an array \(vectors, dimension\), got shape \(5,\)"),
        (VECTORS[None], r"got shape \(1, 7, 5\)"),
        (VECTORS[:0], r"got shape \(0, 5\)"),
        (VECTORS.astype(np.int32), "expected floats, got int32"),
        (broken(2, np.nan), r"row 2 has NaN or infinite numbers \(1 such rows\)"),
        (broken(3, np.inf), "row 3 has NaN or infinite"),
        (broken(4, 0), "row 4 is all zeros"),
        (np.array([["a"]], dtype=object), "pickled objects are refused"),
    ],
)
def test_arrays_that_are_no_vectors_are_refused(tmp_path, array, message):
    np.save(tmp_path / "v.npy", array)

    with pytest.raises(VectorsError, match=r"v\.npy: .*" + message):
        read_vectors(tmp_path / "v.npy")


@pytest.mark.parametrize("suffix", WRITERS)
def test_torn_files_are_refused(tmp_path, suffix):
    path = tmp_path / f"v{suffix}"
    WRITERS[suffix](path)
    path.write_bytes(path.read_bytes()[:-30])

    with pytest.raises(VectorsError, match="cannot be read"):
        read_vectors(path)


@pytest.mark.parametrize("suffix", WRITERS)
def test_empty_files_are_refused(tmp_path, suffix):
    (tmp_path / f"v{suffix}").touch()

    with pytest.raises(VectorsError, match="cannot be read"):
        read_vectors(tmp_path / f"v{suffix}")


def test_missing_files_and_other_kinds_are_refused(tmp_path):
    with pytest.raises(VectorsError, match=r"none\.npy: no such file"):
        read_vectors(tmp_path / "none.npy")
    with pytest.raises(VectorsError, match=r"expected \.npy, \.npz, \.safetensors, \.parquet"):
        read_vectors(tmp_path / "v.pt")


def test_no_message_tells_to_unpickle_a_file(tmp_path):
    (tmp_path / "v.npy").write_text("no array")

    with pytest.raises(VectorsError) as caught:
        read_vectors(tmp_path / "v.npy")

    assert str(caught.value).endswith(
        "v.npy: cannot be read (it is no array of numbers); pickled objects are refused, save plain arrays"
    )


@pytest.mark.parametrize("suffix", [".npz", ".safetensors", ".parquet"])
def test_labels_of_each_kind_of_file_are_numbered_in_their_order(tmp_path, suffix):
    path, labels = tmp_path / f"v{suffix}", np.array([30, -1, 30, 7])
    writers = {
        ".npz": lambda: np.savez(path, vectors=VECTORS, person=labels),
        ".safetensors": lambda: safetensors.numpy.save_file({"vectors": VECTORS, "person": labels}, path),
        ".parquet": lambda: parquet(path, person=labels),
    }
    writers[suffix]()

    assert read_labels(path, "person").tolist() == [2, 0, 2, 1]


def test_names_are_labels_too(tmp_path):
    names = np.array(["b", "a", "b"])
    np.savez(tmp_path / "v.npz", person=names)
    parquet(tmp_path / "v.parquet", person=names.tolist())

    assert read_labels(tmp_path / "v.npz", "person").tolist() == [1, 0, 1]
    assert read_labels(tmp_path / "v.parquet", "person").tolist() == [1, 0, 1]


def test_what_is_no_list_of_labels_is_refused(tmp_path):
    np.savez(tmp_path / "v.npz", vectors=VECTORS, person=np.arange(7.0))
    parquet(tmp_path / "v.parquet", person=[1, None, 2], when=[1.5, 2.5, 3.5])
    np.save(tmp_path / "v.npy", np.arange(7))

    for name, key, message in (
        ("v.npz", "vectors", "'vectors': expected integers or strings \\(N,\\), got float32"),
        ("v.npz", "person", "got float64 of shape \\(7,\\)"),
        ("v.npz", "who", "no array 'who'; it has person, vectors"),
        ("v.parquet", "person", "column 'person' has 1 empty cells"),
        ("v.parquet", "when", "got float64"),
        ("v.npy", "person", "an .npy file holds one array without a name"),
        ("none.npz", "person", "no such file"),
    ):
        with pytest.raises(VectorsError, match=message):
            read_labels(tmp_path / name, key)
