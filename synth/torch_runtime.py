"""How we run torch: the same bytes every time, on the wanted device and in the wanted precision."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

import torch
from torch import nn

from synth.errors import DeviceMemoryError, PrecisionError
from synth.precision import Precision as Precision

_COMPILED_SIZES: Final = 64  # a run has few: its batch size and what remains at the ends of its tasks
_NO_MEMORY: Final = ("can't allocate memory", "not enough memory", "error: out of memory", "STATUS_ALLOC_FAILED")

DTYPES: Final = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def prepare(device: str) -> torch.device:
    """Makes torch deterministic in this process and returns the device.

    Kernels without a deterministic version raise, cuDNN does not choose kernels by timing them, and TF32 stays off:
    it would make float32 results depend on the kind of GPU.

    Args:
        device: 'cpu', 'cuda' or 'cuda:N'.

    Raises:
        ValueError: the device has another form or is not there.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    kind, separator, index = device.partition(":")
    if kind not in ("cpu", "cuda") or (separator and not (kind == "cuda" and index.isdecimal())):
        raise ValueError(f"device '{device}': expected 'cpu', 'cuda' or 'cuda:N'")
    if kind == "cuda" and int(index or 0) >= torch.cuda.device_count():
        raise ValueError(f"device '{device}': torch sees {torch.cuda.device_count()} CUDA devices; use another or cpu")
    torch.use_deterministic_algorithms(True)
    # By default that also writes NaN into all memory that torch takes, before a layer overwrites it: 884 fills in one
    # pass of IDiff-Face's UNet. They would only show a library that reads what nobody wrote.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    return torch.device(device)


def compile_networks(networks: Iterable[nn.Module]) -> None:
    """Has networks compiled in place when they first run, for each batch size apart.

    A kernel made for any size would replace the first ones once a second size is seen, and a batch's bytes would
    depend on the batches before it. For the same reason kernels are not chosen by timing them, and a size too many is
    an error: torch would go on without compiling it, and only log so.
    """
    torch._dynamo.config.recompile_limit = _COMPILED_SIZES
    torch._dynamo.config.fail_on_recompile_limit_hit = True
    options = {"deterministic": True} if hasattr(torch._inductor.config, "deterministic") else None
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`torch.jit", DeprecationWarning)  # of torch itself, when its compiler loads
        for network in networks:
            network.compile(dynamic=False, options=options)


@contextmanager
def batch_fits(rows: int, option: str = "images.batch_size") -> Iterator[None]:
    """Says what to do where a batch does not fit the device; it is never cut silently, that would change bytes.

    Args:
        rows: samples of the batch.
        option: of the configuration, which sets them.

    Raises:
        DeviceMemoryError: the block ran out of the device's memory.
    """
    with _memory_is_enough(f"a batch of {rows} does not fit the device's memory", f"lower {option} in a new run"):
        yield


@contextmanager
def networks_fit(device: torch.device | str) -> Iterator[None]:
    """Says what to do where networks do not fit the device they are moved to.

    Raises:
        DeviceMemoryError: the block ran out of the device's memory.
    """
    way_out = "use another device, or less of its memory for other work; half the memory takes `precision: bfloat16`"
    with _memory_is_enough(f"the networks do not fit the memory of {device}", way_out):
        yield


@contextmanager
def _memory_is_enough(complaint: str, way_out: str) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not _is_about_memory(error):
            raise
        raise DeviceMemoryError(f"{complaint} ({error}); {way_out}") from error


def _is_about_memory(error: Exception) -> bool:
    """Tells errors about memory from others: only CUDA's own allocator has a class for them."""
    known = isinstance(error, torch.OutOfMemoryError | MemoryError)
    return known or any(sign in str(error) for sign in _NO_MEMORY)


def require_finite(images: torch.Tensor) -> None:
    """Refuses images of numbers that overflowed: as pixels they would be black, and nothing would say why.

    Args:
        images: floating, (B, ...).

    Raises:
        PrecisionError: naming the first such row, and how many there are.
    """
    bad = (~images.isfinite().flatten(1).all(dim=1)).nonzero()[:, 0]
    if len(bad):
        raise PrecisionError(
            f"{len(bad)} of {len(images)} images of the batch have NaN or infinite numbers, the first in row "
            f"{int(bad[0])}; float16 overflows with some weights: use `precision: bfloat16` or `float32`, and if it "
            "was that the weights are damaged"
        )
