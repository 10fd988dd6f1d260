"""One `train.rec` with its index and lists, out of the RecordIO files and lists of many shards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from synth.dataset_folders.image_lists import read_list
from synth.errors import ShardError
from synth.shards.image_records import pack_labels, with_key
from synth.shards.record_io import RecordReader, RecordWriter, encode_record, index_line

RECORDS, LIST = "train.rec", "train.tsv"  # in each shard
MOST_BYTES = 256 << 20  # of records held at once while they are grouped by label


class Entry(NamedTuple):
    """An encoded record with any key, and what the lists say about it."""

    record: bytes
    path: str
    label: int


class TrainRecords:
    """Writes `train.rec`, `train.idx`, `train.lst` (of im2rec) and `train.tsv` (of CVLface) side by side.

    Args:
        folder: where.
        first_key: of the first image; the following count up.
    """

    def __init__(self, folder: Path, first_key: int) -> None:
        self.next_key = first_key
        self._stack = ExitStack()
        self._records = self._stack.enter_context(RecordWriter(folder / "train.rec"))
        self._index, self._lst, self._tsv = (
            self._stack.enter_context((folder / f"train.{kind}").open("wb")) for kind in ("idx", "lst", "tsv")
        )

    def __enter__(self) -> TrainRecords:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def add(self, entry: Entry) -> int:
        """Adds an image's record under the next key; returns the key."""
        key, path = self.next_key, entry.path.encode()
        self._index.write(index_line(key, self._records.add_encoded(with_key(entry.record, key))))
        self._lst.write(b"%d\t%d.000000\t%s\n" % (key, entry.label, path))
        self._tsv.write(b"%d\t%s\t%d\n" % (key, path, entry.label))
        self.next_key = key + 1
        return key

    def add_labels(self, labels: Sequence[int], key: int, second_key: int = 0) -> None:
        """Adds a record of labels without an image; lists do not know it."""
        record = encode_record(pack_labels(labels, key, second_key))
        self._index.write(index_line(key, self._records.add_encoded(record)))


def write_plain(entries: Iterable[Entry], folder: Path) -> int:
    """Writes the files as im2rec lays them out: images alone, keys from 0, in the order given.

    Returns:
        The number of images.
    """
    with TrainRecords(folder, first_key=0) as train:
        for entry in entries:
            train.add(entry)
        return train.next_key


def write_with_headers(entries: Iterable[Entry], folder: Path) -> int:
    """Writes the files as InsightFace's builder of records lays them out.

    Keys from 1 are the images. Then comes a record for each label with its first key and the one behind its last; the
    record of key 0, written last, says likewise which keys those are.

    Args:
        entries: grouped by label, labels increasing.
        folder: where.

    Returns:
        The number of images.

    Raises:
        ValueError: a key is too large for the float32 that header records keep it in.
    """
    with TrainRecords(folder, first_key=1) as train:
        starts: list[int] = []
        current = None
        for entry in entries:
            key = train.add(entry)
            if entry.label != current:
                starts.append(key)
                current = entry.label
        first_header = train.next_key
        for number, (start, stop) in enumerate(zip(starts, [*starts[1:], first_header], strict=True)):
            train.add_labels((start, stop), first_header + number)
        train.add_labels((first_header, first_header + len(starts)), 0, second_key=1)
        return first_header - 1


def in_order(shards: Sequence[Path]) -> Iterator[Entry]:
    """Yields the entries of all shards, one shard after the other.

    Raises:
        ShardError: a shard lacks a file, it is damaged, or list and records do not belong together.
    """
    for shard in shards:
        with RecordReader(shard / RECORDS) as records:
            for (start, stop), (path, label) in _listed(shard, records):
                yield Entry(records.encoded(start, stop), path, label)


def by_label(shards: Sequence[Path], most_bytes: int = MOST_BYTES) -> Iterator[Entry]:
    """Yields the entries of all shards grouped by label; within a label they are in the order of the shards.

    Holds about 80 bytes a sample, and records of up to `most_bytes` at once: it goes through the shards as often as
    these make it necessary, opening one at a time.

    Raises:
        ShardError: as `in_order`.
    """
    places = _survey(shards)
    order = np.argsort(places.label, kind="stable")
    sizes = (places.stop - places.start)[order]
    rounds = (np.cumsum(sizes) - sizes) // most_bytes
    for rows in np.split(order, np.flatnonzero(np.diff(rounds)) + 1):
        found: dict[int, bytes] = {}
        for number in np.unique(places.shard[rows]).tolist():
            with RecordReader(shards[number] / RECORDS) as records:
                for row in rows[places.shard[rows] == number].tolist():
                    found[row] = records.encoded(int(places.start[row]), int(places.stop[row]))
        for row in rows.tolist():
            yield Entry(found[row], places.path[row].decode(), int(places.label[row]))


class _Places(NamedTuple):
    """Where the records of N entries are; a row an entry, in the order of the shards.

    Attributes:
        shard: int32 (N,), number of the shard.
        start: int64 (N,), first offset in its file.
        stop: int64 (N,), offset behind its last byte.
        path: bytes (N,).
        label: int32 (N,).
    """

    shard: npt.NDArray[np.int32]
    start: npt.NDArray[np.int64]
    stop: npt.NDArray[np.int64]
    path: npt.NDArray[np.bytes_]
    label: npt.NDArray[np.int32]


def _survey(shards: Sequence[Path]) -> _Places:
    parts = []
    for number, shard in enumerate(shards):
        with RecordReader(shard / RECORDS) as records:
            spans, entries = zip(*_listed(shard, records), strict=True)
        starts, stops = np.array(spans, np.int64).T
        paths = np.array([path.encode() for path, _ in entries])
        labels = np.array([label for _, label in entries], np.int32)
        parts.append(_Places(np.full(len(labels), number, np.int32), starts, stops, paths, labels))
    return _Places(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _listed(shard: Path, records: RecordReader) -> Iterator[tuple[tuple[int, int], tuple[str, int]]]:
    """Yields place, path and label of each record of a shard."""
    try:
        yield from zip(records.spans(), read_list(shard / LIST), strict=True)
    except ValueError:
        raise ShardError(f"{shard}: {RECORDS} and {LIST} differ in length; remove the shard and run again") from None
