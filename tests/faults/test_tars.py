"""Tars that harm, through our readers; flipped bits, cuts and links of `tarfile` are in tests/synth/shards."""

import time

import pytest

from synth.errors import ShardError
from synth.shards.dataset import DatasetReader
from synth.shards.tar import TarReader, TarWriter
from tests.faults.tars import END, header, long_name, names_that_lead_elsewhere, refused, write_sparse


@pytest.mark.parametrize("name", refused())
def test_a_hostile_tar_is_refused(name, tmp_path):
    data, message = refused()[name]
    (tmp_path / "a.tar").write_bytes(data)

    with pytest.raises(ShardError, match=message), TarReader(tmp_path / "a.tar") as tar:
        list(tar)


@pytest.mark.parametrize("name", names_that_lead_elsewhere())
def test_a_name_that_leads_elsewhere_is_a_name_and_nothing_is_unpacked(name, tmp_path):
    folder = tmp_path / "one" / "two"
    folder.mkdir(parents=True)
    label = header(name.replace(b"jpg", b"cls"), b"%011o\0" % 1) + b"0" + bytes(511)
    (folder / "a.tar").write_bytes(header(name) + label + END)

    assert len(DatasetReader(folder)) == 1
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["a.tar"]


def test_more_zeros_than_memory_holds_are_no_end(tmp_path):
    write_sparse(tmp_path / "a.tar")

    with TarReader(tmp_path / "a.tar") as tar, pytest.raises(ShardError, match=r"bytes from the end marker at offset"):
        list(tar)


def test_a_long_pax_header_is_read_once(tmp_path):
    records = b"".join(b"11 a=bbbbb\n" for _ in range(300_000)) + b"17 path=b/c.jpg!\n"
    (tmp_path / "a.tar").write_bytes(long_name(b"x", records) + header() + END)
    started = time.process_time()

    with TarReader(tmp_path / "a.tar") as tar:
        assert [name for name, _ in tar] == ["b/c.jpg!"]

    assert time.process_time() - started < 3


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ([("a.jpg", b"x"), ("a.cls", b"0"), ("a.cls", b"1")], "sample 'a' has two labels"),
        ([("a.jpg", b"x"), ("a.png", b"x"), ("a.cls", b"0")], "sample 'a' has two images"),
        ([("a.jpg", b"x"), ("a.cls", 5000 * b"9")], "expected a label"),
        ([("a.jpg", b"x"), ("a.cls", b"2147483648")], "expected a label"),
        ([("a.jpg", b"x"), ("a.cls", b"\xd9\xa3")], "expected a label"),
    ],
)
def test_a_sample_that_contradicts_itself_is_refused(members, message, tmp_path):
    with TarWriter(tmp_path / "a.tar") as tar:
        for name, data in members:
            tar.add(name, data)

    with pytest.raises(ShardError, match=message):
        DatasetReader(tmp_path)


@pytest.mark.parametrize("index", [100_000 * "[", '{"shards": [{"name": 1, "size": 1}]}', '{"shards": [{"name": []}]}'])
def test_an_index_of_another_shape_is_refused(index, tmp_path):
    with TarWriter(tmp_path / "a.tar") as tar:
        tar.add("a.jpg", b"x")
        tar.add("a.cls", b"0")
    (tmp_path / "index.json").write_text(index)

    with pytest.raises(ShardError, match=r"index\.json|no such file"):
        DatasetReader(tmp_path)
