import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synth.errors import ShardError
from synth.shards.table import column_names, num_rows, read_table, write_table

RANDOM = np.random.default_rng(0)
COLUMNS = {
    "identity": np.arange(5, dtype=np.int64),
    "seed": np.array([2**63 - 1, 0, 1, 2, 3], dtype=np.int64),
    "index": np.arange(5, dtype=np.int32),
    "found": np.array([True, False, True, False, True]),
    "score": np.array([0.5, np.nan, 1, -np.inf, 0], dtype=np.float32),
    "box": RANDOM.random((5, 4)).astype(np.float32),
    "embedding": RANDOM.random((5, 16)).astype(np.float16),
    "dropped_by": np.array(["", "resolution", "", "é", "x"]),
}


def assert_same(found, expected):
    assert list(found) == list(expected)
    for name, column in expected.items():
        np.testing.assert_array_equal(found[name], column)
        assert found[name].dtype.kind == "U" if column.dtype.kind == "U" else found[name].dtype == column.dtype


def test_columns_come_back_with_their_dtypes_and_shapes(tmp_path):
    write_table(tmp_path / "a.parquet", COLUMNS)

    assert_same(read_table(tmp_path / "a.parquet"), COLUMNS)
    assert num_rows(tmp_path / "a.parquet") == 5
    assert column_names(tmp_path / "a.parquet") == list(COLUMNS)


def test_row_groups_are_read_alone(tmp_path):
    write_table(tmp_path / "a.parquet", COLUMNS, row_group_sizes=[2, 3])

    second = read_table(tmp_path / "a.parquet", row_group=1)

    assert_same(second, {name: column[2:] for name, column in COLUMNS.items()})
    assert_same(read_table(tmp_path / "a.parquet"), COLUMNS)


def test_an_empty_table_keeps_its_columns(tmp_path):
    empty = {name: column[:0] for name, column in COLUMNS.items()}
    write_table(tmp_path / "a.parquet", empty)

    found = read_table(tmp_path / "a.parquet")

    assert_same(found, empty)
    assert found["box"].shape == (0, 4)


def test_columns_are_read_in_the_order_wanted(tmp_path):
    write_table(tmp_path / "a.parquet", COLUMNS)

    assert list(read_table(tmp_path / "a.parquet", ["score", "identity"])) == ["score", "identity"]


def test_the_same_columns_give_the_same_bytes(tmp_path):
    write_table(tmp_path / "a.parquet", COLUMNS)
    write_table(tmp_path / "b.parquet", COLUMNS)

    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_only_columns_of_single_values_have_dictionaries(tmp_path):
    write_table(tmp_path / "a.parquet", COLUMNS)

    group = pq.read_metadata(tmp_path / "a.parquet").row_group(0)
    columns = [group.column(number) for number in range(group.num_columns)]
    plain = [column.path_in_schema for column in columns if not column.has_dictionary_page]
    assert plain == ["found", "box.list.element", "embedding.list.element"]  # of two values no dictionary is made


def test_strings_may_come_as_objects(tmp_path):
    few = np.array(["", "resolution"], dtype=object)
    write_table(tmp_path / "a.parquet", {"dropped_by": few[[0, 1, 1, 0]]})

    assert_same(read_table(tmp_path / "a.parquet"), {"dropped_by": np.array(["", "resolution", "resolution", ""])})


def test_slices_of_arrays_are_written_as_they_look(tmp_path):
    wide = np.arange(40, dtype=np.float32).reshape(5, 8)
    write_table(tmp_path / "a.parquet", {"a": wide[:, ::2], "b": wide[:, 3]})

    assert_same(read_table(tmp_path / "a.parquet"), {"a": wide[:, ::2], "b": wide[:, 3]})


def test_lengths_must_agree(tmp_path):
    with pytest.raises(ValueError, match="different lengths"):
        write_table(tmp_path / "a.parquet", {"a": np.zeros(3), "b": np.zeros(4)})


@pytest.mark.parametrize("sizes", [[2, 2], [6], [-1, 6], []])
def test_row_groups_must_sum_up(tmp_path, sizes):
    with pytest.raises(ValueError, match="row groups"):
        write_table(tmp_path / "a.parquet", {"a": np.zeros(5)}, row_group_sizes=sizes)


@pytest.mark.parametrize("column", [np.zeros((2, 2, 2)), np.zeros((2, 0)), np.array([["a"], ["b"]])])
def test_other_shapes_are_refused(tmp_path, column):
    with pytest.raises(ValueError, match="column 'a'"):
        write_table(tmp_path / "a.parquet", {"a": column})


def test_a_missing_column_is_named(tmp_path):
    write_table(tmp_path / "a.parquet", {"a": np.zeros(2)})

    with pytest.raises(ShardError, match="no column b, c; it has a"):
        read_table(tmp_path / "a.parquet", ["a", "b", "c"])


def test_a_missing_row_group_is_named(tmp_path):
    write_table(tmp_path / "a.parquet", {"a": np.zeros(2)})

    with pytest.raises(ShardError, match="no row group 1; it has 1"):
        read_table(tmp_path / "a.parquet", row_group=1)


def test_names_and_rows_come_from_the_footer(tmp_path):
    write_table(tmp_path / "a.parquet", {"b": np.zeros(3), "a": np.zeros((3, 2))}, row_group_sizes=[1, 2])

    assert column_names(tmp_path / "a.parquet") == ["b", "a"]
    assert num_rows(tmp_path / "a.parquet") == 3


def test_a_torn_or_missing_table_is_a_shard_error(tmp_path):
    write_table(tmp_path / "a.parquet", COLUMNS)
    raw = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "a.parquet").write_bytes(raw[:-20])

    for name in ("a.parquet", "none.parquet"):
        with pytest.raises(ShardError, match=name):
            read_table(tmp_path / name)
        with pytest.raises(ShardError, match=name):
            num_rows(tmp_path / name)
        with pytest.raises(ShardError, match=name):
            column_names(tmp_path / name)


def test_empty_cells_are_refused(tmp_path):
    pq.write_table(pa.table({"a": [1, None]}), tmp_path / "a.parquet")

    with pytest.raises(ShardError, match="column 'a' has 1 empty cells"):
        read_table(tmp_path / "a.parquet")
