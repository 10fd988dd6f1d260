"""Random access to the images and labels of an exported WebDataset folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from synth.errors import ShardError
from synth.plain_json import read_plain_json
from synth.shards.tar import TarReader

IMAGE_EXTENSIONS: Final = ("jpg", "jpeg", "png", "webp")

_LABEL_EXTENSION: Final = "cls"


class DatasetReader:
    """Reads any sample of a folder of WebDataset tars by its row, through memory maps.

    Rows count through the tars in the order of their names. A sample needs an image and a label, `key.jpg` (or .png,
    .webp) and `key.cls`: what the exporter `webdataset` writes and what face datasets are published as. Only headers
    and labels are read beforehand, about a million samples in ten seconds.

    A reader can be sent to another process, which maps the tars itself.

    Attributes:
        folder: where the tars are.
        labels: int64 (N,), 0..C-1 without gaps.
        num_labels: C.

    Args:
        folder: with *.tar files; with the index.json of synth's exporter, they are compared with it.

    Raises:
        ShardError: there are no tars, one is damaged or not of this export, a sample lacks image or label, or labels
            have gaps.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._tars = sorted(folder.glob("*.tar"))
        if not self._tars:
            raise ShardError(f"{folder}: no .tar files; name the folder that the exporter `webdataset` made")
        self._check_index()
        samples = [_samples(path) for path in self._tars]
        self._shards = np.repeat(np.arange(len(samples), dtype=np.int32), [len(part) for part in samples])
        columns = np.concatenate(samples)
        self._offsets, self._sizes, self.labels = columns[:, 0].copy(), columns[:, 1].copy(), columns[:, 2].copy()
        self.num_labels = self._check_labels()
        self._readers: dict[int, TarReader] = {}

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.labels)

    def __getstate__(self) -> dict[str, Any]:
        """Memory maps stay in their process."""
        return self.__dict__ | {"_readers": {}}

    def image(self, row: int) -> bytes:
        """Returns the encoded image of a row.

        Raises:
            ShardError: the tar became shorter since it was indexed.
        """
        shard = int(self._shards[row])
        reader = self._readers.get(shard)
        if reader is None:
            reader = self._readers[shard] = TarReader(self._tars[shard])
        return reader.read(int(self._offsets[row]), int(self._sizes[row]))

    def name(self, row: int) -> str:
        """Returns where a row is, for messages: tar and offset."""
        return f"{self._tars[int(self._shards[row])]} at offset {int(self._offsets[row])}"

    def _check_index(self) -> None:
        """Compares the tars with index.json, if there is one."""
        path = self.folder / "index.json"
        if not path.is_file():
            return
        try:
            listed = {str(entry["name"]): entry["size"] for entry in read_plain_json(path.read_text())["shards"]}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ShardError(f"{path}: not the index of an export ({type(error).__name__}: {error})") from error
        found = {tar.name: tar.stat().st_size for tar in self._tars}
        for name in sorted(listed.keys() | found.keys()):
            if listed.get(name) != found.get(name):
                sizes = [f"{sizes[name]} bytes" if name in sizes else "no such file" for sizes in (listed, found)]
                raise ShardError(
                    f"{self.folder / name}: {sizes[1]}, index.json has {sizes[0]}; "
                    "a shard of another export is among them or a copy is incomplete: copy the whole folder again"
                )

    def _check_labels(self) -> int:
        """Returns the number of labels; they must be 0..C-1, each used."""
        used = np.unique(self.labels)
        if used[-1] != len(used) - 1:
            first = np.flatnonzero(used != np.arange(len(used)))[0]
            raise ShardError(
                f"{self.folder}: label {first} has no image, labels go up to {used[-1]} "
                f"({used[-1] + 1 - len(used)} have none); labels must be 0..C-1 without gaps: export again, or add the "
                "missing tars"
            )
        return len(used)


def _samples(path: Path) -> npt.NDArray[np.int64]:
    """Returns offset and size of the image and the label of each sample of a tar, int64 (N, 3)."""
    with TarReader(path) as tar:
        rows = list(_rows(path, tar))
    if not rows:
        raise ShardError(f"{path}: holds no samples; remove it or make it again")
    return np.array(rows, dtype=np.int64)


def _rows(path: Path, tar: TarReader) -> Iterator[tuple[int, int, int]]:
    """Yields offset, size and label of each sample, whose members are adjacent."""
    key, image, label = "", None, None
    for name, offset, size in tar.members():
        base = name.rfind("/") + 1
        dot = name.find(".", base)
        if dot <= base:
            raise ShardError(f"{path}: member '{name}' is not named key.extension, it belongs to no sample")
        extension = name[dot + 1 :].lower()
        if name[:dot] != key:
            if key:
                yield _complete(path, key, image, label)
            key, image, label = name[:dot], None, None
        if extension == _LABEL_EXTENSION:
            _refuse_second(path, key, label, "labels")
            label = _label(path, name, tar.read(offset, size))
        elif extension in IMAGE_EXTENSIONS:
            _refuse_second(path, key, image, "images")
            image = offset, size
    if key:
        yield _complete(path, key, image, label)


def _refuse_second(path: Path, key: str, first: object, what: str) -> None:
    if first is not None:
        raise ShardError(f"{path}: sample '{key}' has two {what}; which one counts cannot be told, remove one")


def _complete(path: Path, key: str, image: tuple[int, int] | None, label: int | None) -> tuple[int, int, int]:
    if image is None or label is None:
        lacking = f"image ({', '.join(IMAGE_EXTENSIONS)})" if image is None else f"label ({_LABEL_EXTENSION})"
        raise ShardError(f"{path}: sample '{key}' has no {lacking}; a face dataset has both in every sample")
    return *image, label


def _label(path: Path, name: str, data: bytes) -> int:
    try:
        label = int(data)
    except ValueError:
        label = -1
    if not 0 <= label < 2**31:
        raise ShardError(f"{path}: member '{name}' is {data[:20]!r}, expected a label: a whole number from 0 on")
    return label
