"""How we run torch: the same bytes every time, on the wanted device and in the wanted precision."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

import torch
from torch import nn

from synth.errors import DeviceMemoryError
from synth.precision import Precision as Precision

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
    depend on the batches before it. For the same reason kernels are not chosen by timing them.
    """
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
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise DeviceMemoryError(
            f"a batch of {rows} does not fit the device's memory ({error}); lower {option} in a new run"
        ) from error
