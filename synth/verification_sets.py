"""Reads the `.bin` files in which evaluation pairs are handed round, without running what they carry.

A `.bin` of insightface is a pickle of (list of 2 N encoded images, list of N booleans); images 2 i and 2 i + 1 are a
pair. Unpickling runs code of the file's choice, so only what such a file needs is let through.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from synth.errors import SynthError

MAX_BYTES: Final = 2**31


@dataclass(frozen=True, slots=True)
class VerificationSet:
    """Pairs of aligned faces.

    Attributes:
        images: 2 P encoded images; 2 i and 2 i + 1 are pair i.
        same: bool (P,), whether both show one person.
    """

    images: tuple[bytes, ...]
    same: npt.NDArray[np.bool_]


def read_bin(path: Path, max_bytes: int = MAX_BYTES) -> VerificationSet:
    """Reads a `.bin` file, of Python 3 or Python 2.

    Args:
        path: of the file.
        max_bytes: larger files are refused.

    Raises:
        SynthError: the file is missing, too large, carries anything but images and booleans, or is incomplete.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise SynthError(f"{path}: cannot be read ({error.strerror})") from error
    if size > max_bytes:
        raise SynthError(f"{path}: {size} bytes, at most {max_bytes} are read; raise max_bytes if you trust it")
    content = _load(path, path.read_bytes())
    if not (isinstance(content, list | tuple) and len(content) == 2):
        raise SynthError(f"{path}: expected (images, answers), found {type(content).__name__}")
    images, answers = content
    if not (isinstance(images, list | tuple) and isinstance(answers, list | tuple | np.ndarray)):
        raise SynthError(f"{path}: expected a list of images and a list of answers")
    if len(images) != 2 * len(answers) or not len(answers):
        raise SynthError(f"{path}: {len(images)} images for {len(answers)} pairs, expected two for each")
    return VerificationSet(
        images=tuple(_image_bytes(path, number, image) for number, image in enumerate(images)),
        same=np.array([_answer(path, number, answer) for number, answer in enumerate(answers)], dtype=np.bool_),
    )


def _load(path: Path, data: bytes) -> Any:  # noqa: ANN401
    try:
        return _Unpickler(io.BytesIO(data), encoding="bytes").load()
    except _ForbiddenError as error:
        raise SynthError(f"{path}: asks for {error}, which no evaluation file needs; it was not run") from error
    except (
        pickle.UnpicklingError, EOFError, ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError,
        MemoryError, UnicodeDecodeError, ImportError,
    ) as error:  # what the unpickler raises on damaged data  # fmt: skip
        raise SynthError(f"{path}: not a readable evaluation file ({type(error).__name__}: {error})") from error


def _image_bytes(path: Path, number: int, image: object) -> bytes:
    if isinstance(image, bytes):
        return image
    if isinstance(image, np.ndarray) and image.dtype == np.uint8:
        return image.tobytes()
    raise SynthError(f"{path}: image {number} is a {type(image).__name__}, expected bytes or a uint8 array")


def _answer(path: Path, number: int, answer: object) -> bool:
    if isinstance(answer, bool | np.bool_) or (isinstance(answer, int | np.integer) and int(answer) in (0, 1)):
        return bool(answer)
    found = answer if isinstance(answer, int | float | np.number) else f"a {type(answer).__name__}"
    raise SynthError(f"{path}: answer {number} is {found}, expected True or False")


class _ForbiddenError(Exception):
    """Names what a pickle asked for and must not have."""


class _Unpickler(pickle.Unpickler):
    """Builds lists, bytes, numbers and plain numpy arrays, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401
        found = _ALLOWED.get((module.replace("numpy._core", "numpy.core"), name))
        if found is None:
            raise _ForbiddenError(f"'{module}.{name}'")
        return found


def _empty_array(kind: str, shape: tuple[int, ...], typecode: object) -> npt.NDArray[Any]:
    """Stands in for numpy's `_reconstruct`: pickles of arrays start from an empty one and fill it afterwards."""
    if kind != _NDARRAY or tuple(shape) != (0,):
        raise _ForbiddenError("an array of a shape that no pickled array starts from")
    return np.empty(0, dtype=np.uint8)


def _plain_dtype(code: str | bytes, align: bool = False, copy: bool = False) -> np.dtype[Any]:
    """Stands in for `numpy.dtype`: numbers and booleans only, no objects."""
    # A copy, because the pickle goes on to set its byte order, and numpy's own ones are shared.
    dtype = np.dtype(code.decode("ascii") if isinstance(code, bytes) else code, copy=True)
    if dtype.kind not in "biuf":
        raise _ForbiddenError(f"arrays of '{dtype}'")
    return dtype


def _scalar(dtype: np.dtype[Any], data: bytes) -> Any:  # noqa: ANN401
    return np.frombuffer(data, dtype=dtype, count=1)[0]


def _array_from_buffer(buffer: Any, dtype: np.dtype[Any], shape: Any, order: str) -> npt.NDArray[Any]:  # noqa: ANN401
    return np.frombuffer(buffer, dtype=dtype).reshape(shape, order="F" if order == "F" else "C")


def _latin1(text: str, encoding: str) -> bytes:
    """Stands in for `codecs.encode`: how protocol 2 writes bytes."""
    if encoding not in ("latin1", b"latin1"):
        raise _ForbiddenError(f"the codec {encoding!r}")
    return text.encode("latin1")


def _empty_bytes() -> bytes:
    """Stands in for `bytes`, which older protocols call for an empty string only."""
    return b""


_NDARRAY: Final = "numpy.ndarray"  # a name instead of the class, which could be called with any shape
_ALLOWED: Final[dict[tuple[str, str], Callable[..., Any] | str]] = {
    ("numpy.core.multiarray", "_reconstruct"): _empty_array,
    ("numpy.core.multiarray", "scalar"): _scalar,
    ("numpy.core.numeric", "_frombuffer"): _array_from_buffer,
    ("numpy", "ndarray"): _NDARRAY,
    ("numpy", "dtype"): _plain_dtype,
    ("_codecs", "encode"): _latin1,
    ("builtins", "bytes"): _empty_bytes,
    ("builtins", "bool"): bool,
    ("__builtin__", "bytes"): _empty_bytes,
    ("__builtin__", "bool"): bool,
}
