"""Writes pickled checkpoints as .safetensors and pickled contexts as .npy: the pickle is read once, safely."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
from torch import Tensor

from synth.errors import WeightsError
from synth.vectors.contexts import read_contexts
from synth.weights.checkpoints import read_checkpoint, require_plain
from synth.whole_files import whole_file


@dataclass(frozen=True, slots=True)
class Converted:
    """What a conversion wrote.

    Attributes:
        count: tensors of a checkpoint, rows of contexts.
        dropped: names of what was not written, being no tensor.
    """

    count: int
    dropped: tuple[str, ...] = ()


def convert(source: Path, target: Path) -> Converted:
    """Converts a file of `torch.save`; a generator or sampler takes the new file in the old one's place.

    A checkpoint becomes a .safetensors file. The tensors of a dictionary within it are named with its key and a dot
    before their own names, which `checkpoints.tensors_of` understands. Contexts become an .npy file, float32 (N, D).

    Args:
        source: is read without running code of it.
        target: a new file, .safetensors or .npy; written whole or not at all.

    Raises:
        WeightsError: the target exists or has another suffix, the checkpoint cannot be read, has no tensors or such as
            are no arrays of numbers.
        VectorsError: the contexts cannot be read.
    """
    if target.exists():
        raise WeightsError(f"{target}: exists already; name a new file, or remove it")
    if target.suffix == ".npy":
        vectors = read_contexts(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(target) as unfinished, unfinished.open("wb") as file:
            np.save(file, vectors)
        return Converted(len(vectors))
    if target.suffix != ".safetensors":
        raise WeightsError(f"{target}: unknown kind of file; .safetensors for a checkpoint, .npy for contexts")
    tensors, dropped = _flattened(source, read_checkpoint(source))
    target.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(target) as unfinished:
        safetensors.torch.save_file(tensors, unfinished, metadata={"format": "pt"})
    return Converted(len(tensors), dropped)


def _flattened(source: Path, content: Mapping[str, Any]) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """Returns the tensors of nested dictionaries by dotted name, each with memory of its own, and the other names."""
    tensors: dict[str, Tensor] = {}
    dropped: list[str] = []
    memory: set[int] = set()
    for name, value in _leaves(content, ""):
        if not isinstance(value, Tensor):
            dropped.append(name)
        elif name in tensors:
            raise WeightsError(f"{source}: has '{name}' twice, at two depths; it cannot be written as one flat file")
        else:
            require_plain(name, value, source)
            shared = value.untyped_storage().data_ptr() in memory
            memory.add(value.untyped_storage().data_ptr())
            tensors[name] = value.detach().clone().contiguous() if shared else value.detach().contiguous()
    if not tensors:
        raise WeightsError(f"{source}: has no tensors; contexts are written as .npy")
    return tensors, tuple(dropped)


def _leaves(content: Mapping[Any, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in content.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
