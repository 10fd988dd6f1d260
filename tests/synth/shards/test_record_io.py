import struct

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from synth.errors import ShardError
from synth.shards import record_io
from synth.shards.image_records import pack_image, pack_labels
from synth.shards.record_io import MAGIC, RecordReader, RecordWriter, encode_record, index_line
from tests import record_io_by_the_spec as spec

PAYLOADS = [b"", b"a", b"abcd", bytes(100), MAGIC, b"ab" + MAGIC, b"abcd" + MAGIC + MAGIC + b"e", b"last"]

# Any bytes, with the magic number far more often than chance has it, at aligned places and between them.
EVIL = st.lists(st.one_of(st.just(MAGIC), st.just(MAGIC[:2]), st.binary(max_size=9)), max_size=9).map(b"".join)


def write(path, payloads=PAYLOADS):
    with RecordWriter(path) as records:
        return [records.add(payload) for payload in payloads]


def read(path):
    with RecordReader(path) as records:
        return [records.read(start) for start, _ in records.spans()]


def damaged(path, offset, data):
    content = bytearray(path.read_bytes())
    content[offset : offset + len(data)] = data
    path.write_bytes(content)


def test_an_image_record_has_the_bytes_of_the_reference():
    image = bytes.fromhex("ffd8ffe000104a46") + bytes(6619)

    record = encode_record(pack_image(0, 1, image))

    assert record[:40] == bytes.fromhex(
        "0a23d7ce fb190000 00000000 00000000 0100000000000000 0000000000000000 ffd8ffe000104a46"
    )
    assert record[40:] == bytes(6619 + 1)


def test_the_header_record_of_insightface_has_the_bytes_of_the_reference():
    images, identities = 5, 2

    payload = pack_labels((images + 1, images + identities + 1), key=0, second_key=1)

    assert payload == bytes.fromhex("02000000 00000000 0000000000000000 0100000000000000") + struct.pack("<2f", 6, 8)


def test_a_payload_is_cut_where_an_aligned_word_is_the_magic_number():
    payload = b"abcd" + MAGIC + b"ef" + MAGIC + b"gh" + MAGIC + MAGIC + b"ijk"

    assert encode_record(payload) == (
        bytes.fromhex("0a23d7ce 04000020")
        + b"abcd"  # first part; the magic number behind it is left out
        # The one between 'ef' and 'gh' is not aligned and stays; the two behind are cut.
        + (bytes.fromhex("0a23d7ce 08000040") + b"ef" + MAGIC + b"gh")
        + (bytes.fromhex("0a23d7ce 00000040"))
        + (bytes.fromhex("0a23d7ce 03000060") + b"ijk\0")
    )


@example(b"")
@example(MAGIC)
@example(MAGIC * 3)
@example(b"abc" + MAGIC)
@given(EVIL)
@settings(max_examples=300, deadline=None)
def test_any_payload_is_written_as_the_spec_says_and_read_back(payload):
    record = encode_record(payload)

    assert record == spec.encode(payload)
    assert list(spec.records(record)) == [(0, payload)]


@given(st.lists(EVIL, min_size=1, max_size=5))
@settings(max_examples=50, deadline=None)
def test_any_file_is_read_back(tmp_path_factory, payloads):
    path = tmp_path_factory.mktemp("records") / "a.rec"
    offsets = write(path, payloads)

    with RecordReader(path) as records:
        spans = list(records.spans())
        found = [records.read(offset) for offset in offsets]

    assert found == payloads
    assert [start for start, _ in spans] == offsets == [offset for offset, _ in spec.records(path.read_bytes())]
    assert [stop for _, stop in spans] == [*offsets[1:], path.stat().st_size]


def test_what_was_written_is_read(tmp_path):
    write(tmp_path / "a.rec")

    assert read(tmp_path / "a.rec") == PAYLOADS


def test_encoded_records_go_from_file_to_file(tmp_path):
    write(tmp_path / "a.rec")
    with RecordReader(tmp_path / "a.rec") as records, RecordWriter(tmp_path / "b.rec") as copy:
        for start, stop in records.spans():
            copy.add_encoded(records.encoded(start, stop))

    assert (tmp_path / "a.rec").read_bytes() == (tmp_path / "b.rec").read_bytes()


def test_a_payload_of_half_a_gibibyte_is_refused(monkeypatch):
    monkeypatch.setattr(record_io, "MAX_SIZE", 100)

    assert encode_record(bytes(99))
    with pytest.raises(ValueError, match="a payload of 100 bytes; a record must stay below 512 MiB"):
        encode_record(bytes(100))


def test_a_file_cut_anywhere_is_truncated_or_ends_with_a_whole_record(tmp_path):
    path = tmp_path / "a.rec"
    ends = [*write(path)[1:], path.stat().st_size]
    whole = path.read_bytes()

    for size in range(1, len(whole)):
        path.write_bytes(whole[:size])
        if size in ends:
            assert read(path) == PAYLOADS[: ends.index(size) + 1]
        else:
            with pytest.raises(ShardError, match=r"a\.rec: at offset \d+: .*(truncated|no record behind)"):
                read(path)


@pytest.mark.parametrize("bit", range(64))
def test_a_flipped_bit_in_a_records_header_is_found(tmp_path, bit):
    path = tmp_path / "a.rec"
    # 31 bytes: no bit of the length makes it end within the padding, where one more zero byte could not be told.
    offsets = write(path, [b"a" * 30, b"b" * 31, b"c" * 33])
    header = int.from_bytes(path.read_bytes()[offsets[1] : offsets[1] + 8], "little") ^ 1 << bit
    damaged(path, offsets[1], header.to_bytes(8, "little"))

    with pytest.raises(ShardError, match=r"a\.rec: at offset (\d+): "):
        read(path)


def test_data_between_records_are_damage(tmp_path):
    path = tmp_path / "a.rec"
    offsets = write(path, [b"12345", b"second"])
    damaged(path, offsets[1] - 1, b"x")

    with pytest.raises(ShardError, match="at offset 13: data where zeros are"):
        read(path)


def test_parts_out_of_order_are_damage(tmp_path):
    middle, last = encode_record(b"abcd" + MAGIC + MAGIC)[12:20], encode_record(MAGIC)[8:]
    first, whole = encode_record(b"abcd" + MAGIC)[:12], encode_record(b"")

    for content, offset in [(middle, 0), (last, 0), (first + whole, 12), (first + first + last, 12), (first, 12)]:
        (tmp_path / "a.rec").write_bytes(content)
        with pytest.raises(ShardError, match=rf"a\.rec: at offset {offset}: "):
            read(tmp_path / "a.rec")


@pytest.mark.parametrize("offset", [-4, 2, 4, 10**6])
def test_an_offset_without_a_record_is_told(tmp_path, offset):
    write(tmp_path / "a.rec")

    with RecordReader(tmp_path / "a.rec") as records, pytest.raises(ShardError, match=f"at offset {offset}: "):
        records.read(offset)


@pytest.mark.parametrize("content", [None, b""])
def test_a_missing_or_empty_file_is_told(tmp_path, content):
    if content is not None:
        (tmp_path / "a.rec").write_bytes(content)

    with pytest.raises(ShardError, match=r"a\.rec: cannot be read as a RecordIO file"):
        RecordReader(tmp_path / "a.rec")


def test_an_index_finds_the_records(tmp_path):
    offsets = write(tmp_path / "a.rec")
    keys = [*range(1, len(offsets)), 0]  # InsightFace writes key 0 last
    (tmp_path / "a.idx").write_bytes(b"".join(map(index_line, keys, offsets)))

    found = dict(spec.index((tmp_path / "a.idx").read_text()))

    assert list(found.items()) == list(zip(keys, offsets, strict=True))
    with RecordReader(tmp_path / "a.rec") as records:
        assert records.read(found[0]) == PAYLOADS[-1]
