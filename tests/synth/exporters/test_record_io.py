import dataclasses
import struct
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from synth.dataset_folders.train_records import by_label, in_order
from synth.errors import ComponentError, ShardError
from synth.exporters.record_io import RecordIoExporter, _require_exact_keys
from synth.shards.image_records import pack_image, unpack
from synth.shards.record_io import MAGIC, RecordReader, encode_record
from synth.shards.table import write_table
from tests import record_io_by_the_spec as spec
from tests.synth.exporters.dataset_folder import CARD, make_dataset, make_samples, write_shard

FLAVOURS = ["plain", "insightface"]


def shuffled(num_shards=3, evil=True):
    """Makes shards of samples in no order, some with the magic number of the format in their images."""
    samples = make_samples(30)
    if evil:
        images = [sample.image + b"0" * (-len(sample.image) % 4) + MAGIC for sample in samples]
        samples = [dataclasses.replace(s, image=image) for s, image in zip(samples, images, strict=True)]
    order = np.random.default_rng(1).permutation(30).tolist()
    return [[samples[row] for row in order[shard::num_shards]] for shard in range(num_shards)]


def assemble(folder, shards, **options):
    """Returns the assembled folder and the directories of its shards."""
    exporter = RecordIoExporter(**options)
    written = [write_shard(exporter, folder, number, samples) for number, samples in enumerate(shards)]
    exporter.assemble(written, folder / "dataset", CARD)
    return folder / "dataset", written


def indexed(records):
    """Returns the bytes of a file of (key, payload) records and of its index, from the spec alone."""
    data, index = b"", ""
    for key, payload in records:
        index += f"{key}\t{len(data)}\n"
        data += spec.encode(payload)
    return data, index


def test_the_plain_layout_is_im2recs_byte_for_byte(tmp_path):
    shards = shuffled()
    folder, _ = assemble(tmp_path, shards)

    samples = [sample for shard in shards for sample in shard]
    payloads = [struct.pack("<IfQQ", 0, s.label, key, 0) + s.image for key, s in enumerate(samples)]
    data, index = indexed(enumerate(payloads))
    assert (folder / "train.rec").read_bytes() == data
    assert (folder / "train.idx").read_text() == index


def test_the_insightface_layout_is_its_builders_byte_for_byte(tmp_path):
    shards = shuffled()
    folder, _ = assemble(tmp_path, shards, flavour="insightface")

    samples = [sample for shard in shards for sample in shard]
    records, identities = [], []
    for label in range(10):
        first = len(records) + 1
        for sample in [sample for sample in samples if sample.label == label]:
            key = len(records) + 1
            records.append((key, struct.pack("<IfQQ", 0, label, key, 0) + sample.image))
        identities.append((first, len(records) + 1))
    for number, (first, stop) in enumerate(identities):
        records.append((31 + number, struct.pack("<IfQQff", 2, 0, 31 + number, 0, first, stop)))
    header = bytes.fromhex("02000000 00000000 0000000000000000 0100000000000000")
    records.append((0, header + struct.pack("<ff", 31, 41)))
    data, index = indexed(records)
    assert (folder / "train.rec").read_bytes() == data
    assert (folder / "train.idx").read_text() == index


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_our_reader_finds_each_image_by_its_key(tmp_path, flavour):
    shards = shuffled()
    folder, _ = assemble(tmp_path, shards, flavour=flavour)
    images = {f"{s.key}.jpg": s for shard in shards for s in shard}

    offsets = dict(spec.index((folder / "train.idx").read_text()))
    with RecordReader(folder / "train.rec") as records:
        for line in (folder / "train.tsv").read_text().splitlines():
            key, path, label = line.split("\t")
            record = unpack(records.read(offsets[int(key)]))
            sample = images[path.rpartition("/")[2]]
            assert (record.key, record.labels, record.image) == (int(key), (int(label),), sample.image)
            assert path == f"images/{sample.label:08d}/{sample.key}.jpg"


@pytest.mark.parametrize(("flavour", "first"), [("plain", 0), ("insightface", 1)])
def test_lists_are_those_of_cvlface_and_im2rec(tmp_path, flavour, first):
    folder, _ = make_dataset(RecordIoExporter(flavour=flavour), tmp_path)

    rows = [line.split("\t") for line in (folder / "train.tsv").read_text().splitlines()]
    lst = [line.split("\t") for line in (folder / "train.lst").read_text().splitlines()]
    assert [int(key) for key, _, _ in rows] == list(range(first, first + 24))
    assert lst == [[key, f"{int(label)}.000000", path] for key, path, label in rows]
    assert rows[3][1:] == ["images/00000001/00000001_0000.jpg", "1"]


def test_property_is_one_line_of_classes_height_and_width(tmp_path):
    folder, _ = make_dataset(RecordIoExporter(), tmp_path)

    assert (folder / "property").read_text() == "8,16,16\n"


def test_arcface_torch_is_told_the_numbers_of_classes_and_images(tmp_path, monkeypatch):
    folder, _ = make_dataset(RecordIoExporter(flavour="insightface"), tmp_path)
    # arcface_torch brings easydict, whose dictionary is written to like this.
    monkeypatch.setitem(sys.modules, "easydict", SimpleNamespace(EasyDict=SimpleNamespace))
    names = {}

    exec((folder / "arcface_torch.py").read_text(), names)

    config = names["config"]
    assert (config.num_classes, config.num_image) == (8, 24)
    assert (config.num_epoch, config.warmup_epoch, config.val_targets) == (20, 0, [])


@pytest.mark.parametrize("most_bytes", [1, 5000, 10**9])
def test_grouping_gives_the_same_however_much_it_may_hold(tmp_path, most_bytes):
    _, shards = assemble(tmp_path, shuffled())

    entries = list(by_label(shards, most_bytes))

    assert entries == sorted(in_order(shards), key=lambda entry: entry.label)
    assert len(entries) == 30


def test_a_label_that_float32_would_round_is_refused(tmp_path):
    (sample,) = make_samples(1)

    RecordIoExporter().write_shard([dataclasses.replace(sample, label=2**24)], 0, tmp_path)
    with pytest.raises(ValueError, match=r"sample 00000000_0000: label 16777217: expected 0\.\.16777216: RecordIO"):
        RecordIoExporter().write_shard([dataclasses.replace(sample, label=2**24 + 1)], 0, tmp_path)


def test_header_records_that_float32_would_round_are_refused():
    _require_exact_keys(2**24 - 11, 10)

    with pytest.raises(ComponentError, match=r"16777217 as float32, .* use `flavour: plain`"):
        _require_exact_keys(2**24 - 10, 10)


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("damage", ["truncated", "flipped", "fewer", "garbled", "missing"])
def test_a_damaged_shard_is_reported_and_the_old_folder_stays(tmp_path, flavour, damage):
    folder, shards = assemble(tmp_path, shuffled(), flavour=flavour)
    before = (folder / "train.rec").read_bytes()
    records, listing = shards[1] / "train.rec", shards[1] / "train.tsv"
    if damage == "truncated":
        records.write_bytes(records.read_bytes()[:-5])
    if damage == "flipped":
        content = bytearray(records.read_bytes())
        content[5] ^= 0x40
        records.write_bytes(content)
    if damage == "fewer":
        listing.write_text("".join(listing.read_text().splitlines(keepends=True)[:-1]))
    if damage == "garbled":
        listing.write_text(listing.read_text().replace("\t", " ", 1))
    if damage == "missing":
        listing.unlink()

    with pytest.raises(ShardError, match=r"000001"):
        RecordIoExporter(flavour=flavour).assemble(shards, folder, CARD)

    assert (folder / "train.rec").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dataset", "export"]


def test_a_first_record_without_an_image_is_reported(tmp_path):
    folder, shards = assemble(tmp_path, shuffled())
    (shards[0] / "train.rec").write_bytes(encode_record(pack_image(0, 0, b"no image")))
    (shards[0] / "train.tsv").write_text("images/00000000/00000000_0000.jpg\t0\n")

    with pytest.raises(ShardError, match=r"000000/train\.rec: the first record: 8 bytes that are no"):
        RecordIoExporter().assemble(shards, folder, CARD)


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_labels_with_gaps_are_reported(tmp_path, flavour):
    exporter = RecordIoExporter(flavour=flavour)
    shard = write_shard(exporter, tmp_path, 0, make_samples(6))
    write_table(shard / "samples.parquet", {"label": np.array([0, 2]), "identity": np.array([0, 2])})

    with pytest.raises(ShardError, match="2 labels and none of them is 1; shards are missing"):
        exporter.assemble([shard], tmp_path / "dataset", CARD)
