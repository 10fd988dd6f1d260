"""Where images lie in a folder of images, and lists of them: a path and a label a line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from synth.errors import ShardError
from synth.exporters.base import Sample

MAX_LABEL = 10**8 - 1  # folders have eight digits

_KEY = re.compile(r"[\w-]+", re.ASCII)


def listed(samples: Iterable[Sample], shard: int) -> Iterator[tuple[str, Sample]]:
    """Yields the samples of a shard with their paths, like 'images/00000012/00000034_0007.jpg'.

    All labels have the same number of digits, so that folders sorted as text, as numbers and as file browsers sort
    them are in the same order: loaders that number the folders themselves find our labels.

    Raises:
        ValueError: there are no samples; a key has other characters than letters, digits, '_' and '-'; a label does
            not fit; or extensions differ.
    """
    extension = ""
    for sample in samples:
        extension = extension or sample.extension
        if sample.extension != extension:
            raise ValueError(f"sample {sample.key}: a {sample.extension} image in a shard of {extension} images")
        yield _path(sample), sample
    if not extension:
        raise ValueError(f"shard {shard}: no samples; plan no empty export shards")


def list_line(path: str, label: int) -> str:
    """Returns a line of a list."""
    return f"{path}\t{label}\n"


def read_list(path: Path) -> Iterator[tuple[str, int]]:
    """Yields path and label of each line of a list that is part of a shard.

    Raises:
        ShardError: the list is missing or damaged.
    """
    try:
        with path.open(encoding="ascii") as lines:
            for line in lines:
                image, label = line.split("\t")
                yield image, int(label)
    except (OSError, ValueError) as error:
        raise ShardError(
            f"{path}: cannot be read as a list of images ({error}); remove its shard and run again"
        ) from error


def _path(sample: Sample) -> str:
    if not _KEY.fullmatch(sample.key):
        raise ValueError(
            f"sample {sample.key!r}: a key may have letters, digits, '_' and '-': lists of images end or cut a path "
            "at others"
        )
    if not 0 <= sample.label <= MAX_LABEL:
        raise ValueError(f"sample {sample.key}: label {sample.label}, expected 0..{MAX_LABEL}")
    if sample.extension not in ("jpg", "png"):
        raise ValueError(f"sample {sample.key}: extension '{sample.extension}', expected 'jpg' or 'png'")
    return f"images/{sample.label:08d}/{sample.key}.{sample.extension}"
