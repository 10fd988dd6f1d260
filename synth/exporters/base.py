"""What an exporter is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One kept image on its way into a dataset.

    Attributes:
        key: '{identity:08d}_{index:04d}'.
        label: contiguous class number.
        image: encoded image, passed through byte for byte.
        extension: of the encoded image, 'jpg' or 'png'.
        metadata: flat; the same keys with the same types in every sample of a dataset, no None.
    """

    key: str
    label: int
    image: bytes
    extension: str
    metadata: Mapping[str, bool | int | float | str | list[float]]


class Exporter(ABC):
    """Writes selected samples in a format that trainers read."""

    version: ClassVar[int] = 1

    @abstractmethod
    def write_shard(self, samples: Iterable[Sample], shard: int, out: Path) -> None:
        """Writes one export shard into the existing directory `out`; all its bytes follow from the samples."""

    @abstractmethod
    def assemble(self, shards: Sequence[Path], dataset: Path, card: str) -> None:
        """Makes the folder a stranger loads, out of all committed shard directories, in order.

        Args:
            shards: committed export shard directories.
            dataset: the folder to make; an existing one is replaced as a whole.
            card: text of the dataset card without its `dataset_info` (the exporter knows the features).
        """
