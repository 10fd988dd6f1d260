"""Files of vector statistics: .npz or .safetensors, small, with no fitted vector in them, read without unpickling."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.numpy

from synth.errors import VectorsError
from synth.plain_json import read_plain_json
from synth.vectors.files import READERS_ERRORS, reason_of
from synth.vectors.statistics import VectorStatistics
from synth.weights.files import WeightFile
from synth.whole_files import whole_file

SUFFIXES: Final = (".npz", ".safetensors")
FORMAT: Final = "synth vector statistics 1"
ARRAYS: Final = ("mean", "components", "deviations")
ABOUT: Final = "about"  # JSON text: one entry, because safetensors writes several in random order
ORTHONORMAL: Final = 1e-6  # largest error of a product of two components

Float64 = npt.NDArray[np.float64]


def write_statistics(path: Path, statistics: VectorStatistics) -> None:
    """Writes statistics to an .npz or .safetensors file; the same statistics give the same bytes.

    A file that is there stays until the new one is whole.

    Raises:
        VectorsError: the path has another suffix.
        OSError: it cannot be written.
    """
    check_suffix(path)
    arrays: dict[str, Any] = {name: getattr(statistics, name) for name in ARRAYS}
    facts = {"format": FORMAT, "norm": statistics.norm, "space": statistics.space, "count": statistics.count}
    about = json.dumps(facts)
    if path.suffix == ".safetensors":
        data = safetensors.numpy.save(arrays, metadata={ABOUT: about})
    else:
        buffer = io.BytesIO()
        np.savez(buffer, **(arrays | {ABOUT: np.array(about)}))
        data = buffer.getvalue()
    with whole_file(path) as unfinished:
        unfinished.write_bytes(data)


def statistics_file(path: Path) -> WeightFile:
    """Returns what can be said of a statistics file before it is there."""
    terms = "that of the embeddings it was fitted to"
    return WeightFile(path=path, origin="`synth fit-sampler` on a file of embeddings", license=terms)


def check_suffix(path: Path) -> None:
    """Checks that a path is named like a statistics file.

    Raises:
        VectorsError: it is not.
    """
    if path.suffix not in SUFFIXES:
        raise VectorsError(f"{path}: statistics are kept in {' or '.join(SUFFIXES)} files; give it such a name")


def read_statistics(path: Path) -> VectorStatistics:
    """Reads what `write_statistics` wrote.

    Raises:
        VectorsError: the file is missing, damaged, or no statistics file.
    """
    check_suffix(path)
    if not path.is_file():
        raise VectorsError(f"{path}: no such file; `synth fit-sampler` makes it from a file of embeddings")
    try:
        arrays, about = _of_safetensors(path) if path.suffix == ".safetensors" else _of_npz(path)
        facts = read_plain_json(about)
    except (*READERS_ERRORS, KeyError) as error:
        raise VectorsError(
            f"{path}: cannot be read ({reason_of(error)}); fit it again with `synth fit-sampler`"
        ) from error
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise VectorsError(f"{path}: is no file of vector statistics; `synth fit-sampler` makes one of embeddings")
    mistake = _wrong_arrays(arrays) or _wrong_facts(facts)
    if mistake:
        raise VectorsError(f"{path}: {mistake}; it is damaged, fit it again with `synth fit-sampler`")
    return VectorStatistics(**arrays, norm=facts["norm"], space=facts["space"], count=facts["count"])


def _of_npz(path: Path) -> tuple[dict[str, Any], str]:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
        arrays = {name: held[name] for name in ARRAYS if name in held.files}
        return arrays, str(held[ABOUT]) if ABOUT in held.files else "null"


def _of_safetensors(path: Path) -> tuple[dict[str, Any], str]:
    with safetensors.safe_open(path, framework="numpy") as held:
        names = set(held.keys())
        arrays = {name: held.get_tensor(name) for name in ARRAYS if name in names}
        return arrays, (held.metadata() or {}).get(ABOUT, "null")


def _wrong_arrays(arrays: dict[str, Any]) -> str | None:
    """Returns what is wrong with the arrays of a statistics file."""
    missing = [name for name in ARRAYS if name not in arrays]
    if missing:
        return f"lacks {', '.join(missing)}"
    for name, array in arrays.items():
        if array.dtype != np.float64 or not np.isfinite(array).all():
            return f"{name} is not of finite float64 numbers"
    mean, components, deviations = (arrays[name] for name in ARRAYS)
    if components.ndim != 2 or components.size == 0:
        return f"components have shape {components.shape}, expected (components, dimension)"
    if (mean.shape, deviations.shape) != (components.shape[1:], components.shape[:1]):
        return (
            f"mean {mean.shape} and deviations {deviations.shape} do not fit components {components.shape}; "
            "expected (dimension,), (components,) and (components, dimension)"
        )
    if (deviations < 0).any():
        return "a standard deviation is negative"
    if np.abs(components @ components.T - np.eye(len(components))).max() > ORTHONORMAL:
        return "the components are not orthonormal"
    return None


def _wrong_facts(facts: dict[str, Any]) -> str | None:
    """Returns what is wrong with the description in a statistics file."""
    if facts.get("norm") not in ("unit", "raw"):
        return f"norm is {facts.get('norm')!r}, expected 'unit' or 'raw'"
    if not isinstance(facts.get("space"), str | None):
        return f"space is {facts.get('space')!r}, expected a name"
    if not isinstance(facts.get("count"), int) or facts["count"] < 2:
        return f"count is {facts.get('count')!r}, expected the number of fitted vectors"
    return None
