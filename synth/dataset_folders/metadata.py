"""The metadata of samples as plain values, and their types as `datasets` names them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from synth.exporters.base import MetadataValue, Sample

Scalar: TypeAlias = bool | int | float | str
Plain: TypeAlias = Scalar | list[Scalar]

_TYPES = {bool: "bool", int: "int64", float: "float64", str: "string"}


def plain_metadata(sample: Sample) -> dict[str, Plain]:
    """Returns a sample's metadata as plain Python values, sorted by name.

    Raises:
        ValueError: a value is None, NaN or infinite, or of another type than samples may have.
    """
    plain = {}
    for name, value in sorted(sample.metadata.items()):
        try:
            plain[name] = _plain(value)
        except ValueError as error:
            raise ValueError(f"sample {sample.key}: metadata '{name}': {error}") from None
    return plain


def _plain(value: MetadataValue) -> Plain:
    """Returns one value as JSON knows it."""
    if not isinstance(value, (np.ndarray, list, tuple)):
        return _scalar(value)
    items = [_scalar(item) for item in value]
    if len({type(item) for item in items}) != 1:
        raise ValueError(f"expected a list of values of one type, got {value!r}")
    return items


def _scalar(value: Any) -> Scalar:  # noqa: ANN401
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (int, np.integer)):
        if not -(2**63) <= value < 2**63:
            raise ValueError(f"{value} does not fit 64 bits")
        return int(value)
    if not isinstance(value, (float, np.floating)):
        raise ValueError(f"expected bool, int, float, str or a list of one of them, got {value!r}")
    # Through text: a float32 becomes the shortest decimal that reads back to it, 0.1 and not 0.10000000149.
    number = float(value) if isinstance(value, float) else float(str(value))
    if not math.isfinite(number):
        raise ValueError(f"{number}: JSON has no such number; leave it to the sidecar table")
    return number


def field_types(metadata: Mapping[str, Plain]) -> dict[str, str]:
    """Returns the type of each field by name, like 'int64' or, of a list, 'float64[]'."""
    return {
        name: _TYPES[type(value[0])] + "[]" if isinstance(value, list) else _TYPES[type(value)]
        for name, value in metadata.items()
    }


def difference(first: Mapping[str, str], other: Mapping[str, str]) -> str:
    """Returns how the fields of two samples or shards differ, for messages."""
    names = {name for name, _ in set(first.items()) ^ set(other.items())}
    return f"differ ({', '.join(sorted(names))})"


def feature(name: str, dtype: str) -> dict[str, str]:
    """Returns a field as `dataset_info` in the front matter of a card has it."""
    if dtype.endswith("[]"):
        return {"name": name, "sequence": dtype.removesuffix("[]")}
    return {"name": name, "dtype": dtype}
