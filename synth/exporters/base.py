"""What an exporter is, and what it is given."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt
import yaml

MetadataScalar: TypeAlias = bool | int | float | str | np.generic
MetadataValue: TypeAlias = MetadataScalar | Sequence[MetadataScalar] | npt.NDArray[Any]

# In each export shard: a table with label, identity and everything measured about its samples, in their order.
SIDECAR = "samples.parquet"

# Stands for the assembled folder in what an exporter says about loading it; whoever knows the place may put it there.
PLACE = "path/to/this/folder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One kept image on its way into a dataset.

    Attributes:
        key: '{identity:08d}_{index:04d}'; each only once in a dataset.
        label: contiguous class number.
        image: encoded image, passed through byte for byte.
        extension: of the encoded image, 'jpg' or 'png'; the same in all samples of a dataset.
        metadata: flat; the same keys with the same types in every sample of a dataset. Values are scalars, numpy
            scalars, and lists or numpy arrays (K >= 1,) of one type. No None, no NaN, no infinity: filters let no NaN
            pass, so a kept sample has none in its filter columns; whatever else may be NaN belongs into the sidecar
            table alone.
    """

    key: str
    label: int
    image: bytes
    extension: str
    metadata: Mapping[str, MetadataValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What a dataset's README.md says; the exporter adds how its files are laid out.

    Attributes:
        front_matter: fields of the YAML block that the Hugging Face hub reads: license, tags, ...; without
            `configs` and `dataset_info`, which the exporter knows.
        text: the README itself, Markdown.
    """

    front_matter: Mapping[str, Any]
    text: str

    @property
    def name(self) -> str:
        """Name of the dataset; empty where the front matter has no `pretty_name`."""
        return str(self.front_matter.get("pretty_name", ""))

    def render(self, layout: Mapping[str, Any]) -> str:
        """Returns the README.md of a dataset whose exporter adds the front-matter fields `layout`."""
        fields = {**self.front_matter, **layout}
        return f"---\n{yaml.safe_dump(fields, sort_keys=False, allow_unicode=True)}---\n\n{self.text.strip()}\n"


class Exporter(ABC):
    """Writes selected samples in a format that trainers read.

    Attributes:
        version: raised whenever the same samples give other bytes; part of the fingerprint.
        metadata_place: where a sample's metadata are, as the card says it, like '`json`'; empty where the format has
            room for images and labels alone, so that only the tables beside it know more.
        tags: for the front matter of the card.
        copies_images: whether the assembled folder takes as much room again as the shards; links take none.
    """

    version: ClassVar[int] = 1
    metadata_place: ClassVar[str] = ""
    tags: ClassVar[tuple[str, ...]] = ()
    copies_images: ClassVar[bool] = False

    @abstractmethod
    def write_shard(self, samples: Iterable[Sample], shard: int, out: Path) -> None:
        """Writes one export shard into the existing directory `out`; all its bytes follow from the samples.

        Raises:
            ValueError: there are no samples, or one does not fit the format or the samples before it.
        """

    @abstractmethod
    def assemble(self, shards: Sequence[Path], dataset: Path, card: Card) -> None:
        """Makes the folder a stranger loads, out of all committed shard directories, in order.

        Args:
            shards: committed export shard directories; each holds what `write_shard` wrote and the sidecar table
                `samples.parquet`.
            dataset: the folder to make; an existing one is replaced as a whole. On the same file system as the shards
                it takes no room unless `copies_images`: files are hard links.
            card: becomes README.md.

        Raises:
            ShardError: a shard lacks a file, or shards disagree about the metadata.
        """

    @abstractmethod
    def loading(self) -> str:
        """Returns how the assembled folder, called PLACE, is loaded and what its files are, Markdown, for the card."""
