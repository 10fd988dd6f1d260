import io
import subprocess
import sys
import tarfile
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.errors import ShardError
from synth.shards.tar import BLOCK, TarReader, TarWriter, _header

FILES = [
    ("a_0.jpg", b"\xff\xd8image"),
    ("a_0.json", b"{}"),
    ("a_0.cls", b"7"),
    ("b_0.jpg", b""),
    ("b_0.cls", bytes(512)),
]


def write(path, files=FILES):
    with TarWriter(path) as tar:
        return [tar.add(name, data) for name, data in files]


def read(path):
    with TarReader(path) as tar:
        return list(tar)


def test_what_was_written_is_read(tmp_path):
    write(tmp_path / "a.tar")

    assert read(tmp_path / "a.tar") == FILES


def test_offsets_find_the_data(tmp_path):
    places = write(tmp_path / "a.tar")

    with TarReader(tmp_path / "a.tar") as tar:
        found = [tar.read(*place) for place in places]

    raw = (tmp_path / "a.tar").read_bytes()
    assert found == [data for _, data in FILES]
    assert [raw[offset : offset + size] for offset, size in places] == found


def test_samples_group_adjacent_members_up_to_the_first_dot_of_the_base_name(tmp_path):
    write(tmp_path / "a.tar", [("v1.0/a.jpg", b"1"), ("v1.0/a.seg.png", b"2"), ("v1.0/b.jpg", b"3"), ("a.jpg", b"4")])

    with TarReader(tmp_path / "a.tar") as tar:
        samples = list(tar.samples())

    assert samples == [
        {"__key__": "v1.0/a", "jpg": b"1", "seg.png": b"2"},
        {"__key__": "v1.0/b", "jpg": b"3"},
        {"__key__": "a", "jpg": b"4"},
    ]


def test_an_empty_tar_has_no_members(tmp_path):
    write(tmp_path / "a.tar", [])

    assert read(tmp_path / "a.tar") == []


def test_the_same_members_give_the_same_bytes(tmp_path):
    write(tmp_path / "a.tar")
    write(tmp_path / "b.tar")

    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


def test_tarfile_reads_what_we_write(tmp_path):
    long = "folder/" * 15 + "n" * 90 + ".jpg"
    write(tmp_path / "a.tar", [*FILES, (long, b"long"), ("Zoë.jpg", b"z")])

    with tarfile.open(tmp_path / "a.tar") as tar:
        members = tar.getmembers()
        found = [(member.name, tar.extractfile(member).read()) for member in members]

    assert found == [*FILES, (long, b"long"), ("Zoë.jpg", b"z")]
    assert {(member.mtime, member.uid, member.gid, member.mode) for member in members} == {(0, 0, 0, 0o644)}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.binary(max_size=1100), max_size=6))
def test_any_data_come_back(tmp_path_factory, contents):
    path = tmp_path_factory.mktemp("tar") / "a.tar"
    files = [(f"{number}.bin", data) for number, data in enumerate(contents)]

    places = write(path, files)

    assert read(path) == files
    assert all(offset % BLOCK == 0 for offset, _ in places)
    assert all(a + size <= b for (a, size), (b, _) in pairwise(places))


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_tars_of_tarfile_are_read(tmp_path, form):
    names = ["d/a.jpg", "d/" * 30 + "n" * 90 + ".jpg"] + ([] if form == tarfile.USTAR_FORMAT else ["q" * 200 + ".txt"])
    with tarfile.open(tmp_path / "a.tar", "w", format=form) as tar:
        folder = tarfile.TarInfo("d" * 90 + "/" + "e" * 99)
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        for name in names:
            member = tarfile.TarInfo(name)
            member.size, member.mtime = 5, 1.5 if form == tarfile.PAX_FORMAT else 1
            tar.addfile(member, io.BytesIO(b"abcde"))

    assert read(tmp_path / "a.tar") == [(name, b"abcde") for name in names]


def test_tars_of_webdataset_are_read(tmp_path):
    # In a process of its own: webdataset looks for torch, which warns.
    script = (
        "import sys, webdataset\n"
        "with webdataset.TarWriter(sys.argv[1]) as tar:\n"
        "    tar.write({'__key__': '00000001_0002', 'jpg': b'image', 'json': b'{}', 'cls': b'3'})\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "a.tar")], check=True, capture_output=True)

    with TarReader(tmp_path / "a.tar") as tar:
        assert list(tar.samples()) == [{"__key__": "00000001_0002", "jpg": b"image", "json": b"{}", "cls": b"3"}]


@pytest.mark.parametrize("kept", [1, 511, 512, 513, 1024, 1300, 2048, -1023, -513, -1])
def test_a_tar_cut_anywhere_is_reported_as_truncated(tmp_path, kept):
    write(tmp_path / "a.tar")
    raw = (tmp_path / "a.tar").read_bytes()
    (tmp_path / "a.tar").write_bytes(raw[:kept])

    with pytest.raises(ShardError, match=r"a\.tar: .*truncated"):
        read(tmp_path / "a.tar")


def test_every_altered_byte_of_a_header_is_noticed(tmp_path):
    write(tmp_path / "a.tar", [("a_0.jpg", b"image")])
    raw = (tmp_path / "a.tar").read_bytes()

    for position in range(BLOCK):
        changed = bytearray(raw)
        changed[position] ^= 0x11
        (tmp_path / "a.tar").write_bytes(changed)
        # The checksum field ends in NUL and space, which say nothing.
        if position in (154, 155):
            continue
        with pytest.raises(ShardError, match="offset 0"):
            read(tmp_path / "a.tar")


def test_a_writer_that_raises_leaves_a_tar_without_end_marker(tmp_path):
    def files():
        yield "a_0.jpg", b"image"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write(tmp_path / "a.tar", files())

    with pytest.raises(ShardError, match="truncated, it has no end marker"):
        read(tmp_path / "a.tar")


def test_data_behind_the_end_marker_are_reported(tmp_path):
    write(tmp_path / "a.tar")
    raw = (tmp_path / "a.tar").read_bytes()
    (tmp_path / "a.tar").write_bytes(raw + raw)

    with pytest.raises(ShardError, match=f"data behind the end marker at offset {len(raw) - 2 * BLOCK}"):
        read(tmp_path / "a.tar")


def test_links_are_refused(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        link = tarfile.TarInfo("a.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)

    with pytest.raises(ShardError, match=r"offset 0 is no regular file \(type '2'\)"):
        read(tmp_path / "a.tar")


def test_a_damaged_pax_header_is_reported(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(tarfile.TarInfo("n" * 150), io.BytesIO())
    raw = bytearray((tmp_path / "a.tar").read_bytes())
    raw[BLOCK : BLOCK + 3] = b"999"
    (tmp_path / "a.tar").write_bytes(raw)

    with pytest.raises(ShardError, match="the pax header at offset 0 is damaged"):
        read(tmp_path / "a.tar")


@pytest.mark.parametrize("content", [b"", b"no tar file, but a text of some length" * 40])
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "a.tar").write_bytes(content)

    with pytest.raises(ShardError, match=r"a\.tar"):
        read(tmp_path / "a.tar")


def test_a_missing_file_is_a_shard_error(tmp_path):
    with pytest.raises(ShardError, match="cannot be read as a tar file"):
        TarReader(tmp_path / "none.tar")


@pytest.mark.parametrize(("offset", "size"), [(-1, 5), (0, -1), (10**9, 1), (4000, 10**6)])
def test_reading_outside_the_file_is_reported(tmp_path, offset, size):
    write(tmp_path / "a.tar")

    with TarReader(tmp_path / "a.tar") as tar, pytest.raises(ShardError, match="outside the file"):
        tar.read(offset, size)


def test_a_key_used_twice_is_reported(tmp_path):
    write(tmp_path / "a.tar", [("a.jpg", b""), ("a.jpg", b"")])

    with TarReader(tmp_path / "a.tar") as tar, pytest.raises(ShardError, match=r"two members 'a\.jpg'"):
        list(tar.samples())


@pytest.mark.parametrize("name", ["manifest", ".jpg", "folder/.jpg"])
def test_a_member_that_belongs_to_no_sample_is_reported(tmp_path, name):
    write(tmp_path / "a.tar", [(name, b"")])

    with TarReader(tmp_path / "a.tar") as tar, pytest.raises(ShardError, match="belongs to no sample"):
        list(tar.samples())


@pytest.mark.parametrize("name", ["", "a\0b", "n" * 101, "p" * 156 + "/" + "n" * 50, "p/" + "n" * 101, "n" * 120 + "/"])
def test_names_that_do_not_fit_are_refused(tmp_path, name):
    with TarWriter(tmp_path / "a.tar") as tar, pytest.raises(ValueError, match="tar member"):
        tar.add(name, b"")


@pytest.mark.parametrize("name", ["n" * 100, "p" * 155 + "/" + "n" * 100, "p" * 50 + "/" + "n" * 100])
def test_the_longest_names_fit(tmp_path, name):
    write(tmp_path / "a.tar", [(name, b"data")])

    assert read(tmp_path / "a.tar") == [(name, b"data")]


def test_sizes_below_8_gib_fit_the_header_and_others_are_refused():
    assert tarfile.TarInfo.frombuf(_header("a.bin", 8**11 - 1), "utf-8", "strict").size == 8**11 - 1

    with pytest.raises(ValueError, match="below 8 GiB"):
        _header("a.bin", 8**11)


def test_members_of_8_gib_are_refused_by_the_reader(tmp_path):
    member = tarfile.TarInfo("a.bin")
    member.size = 8**11
    (tmp_path / "a.tar").write_bytes(member.tobuf(tarfile.GNU_FORMAT) + bytes(1024))

    with pytest.raises(ShardError, match="8 GiB or more"):
        read(tmp_path / "a.tar")


def test_members_whose_pax_header_gives_a_size_are_refused(tmp_path):
    member = tarfile.TarInfo("a.bin")
    member.size = 8**11
    (tmp_path / "a.tar").write_bytes(member.tobuf(tarfile.PAX_FORMAT) + bytes(1024))

    with pytest.raises(ShardError, match="8 GiB or more"):
        read(tmp_path / "a.tar")


def test_a_negative_size_is_refused_even_with_the_right_checksum(tmp_path):
    write(tmp_path / "a.tar", [("a.bin", b"")])
    raw = bytearray((tmp_path / "a.tar").read_bytes())
    raw[124:135] = b"-0000000512"
    raw[148:156] = b" " * 8
    raw[148:156] = b"%06o\0 " % sum(raw[:BLOCK])
    (tmp_path / "a.tar").write_bytes(raw)

    with pytest.raises(ShardError, match="offset 0 has a negative size"):
        read(tmp_path / "a.tar")
