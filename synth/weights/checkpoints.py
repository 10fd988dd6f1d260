"""Reads and loads checkpoints. No file ever runs code: safetensors, or torch's restricted unpickler."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import safetensors.torch
import torch
from torch import Tensor, nn

from synth.errors import WeightsError
from synth.weights.unpickling import RefusedError, UnreadableError, unpickle

_Network = TypeVar("_Network", bound=nn.Module)

_SHOWN = 5  # keys a message names of each kind
_HARMLESS = [argparse.Namespace]  # training scripts store their command line beside the weights
_WHOLE = "it is no checkpoint or only a part of one, get it again"


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Reads a checkpoint onto the CPU.

    Args:
        path: a .safetensors file, or anything else for what `torch.save` wrote.

    Returns:
        The dictionary in the file: names to tensors, or, in files of `torch.save`, to anything harmless.

    Raises:
        WeightsError: the file is missing, cut short, of another kind, or would run code when unpickled.
    """
    if not path.is_file():
        raise WeightsError(f"{path}: missing; `synth weights CONFIG` says how to get it")
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    try:
        content = unpickle(path, _HARMLESS)
    except RefusedError as error:
        raise WeightsError(
            f"{path}: refused, reading it would run code or it is damaged ({error}); get the weights as safetensors"
        ) from error
    except UnreadableError as error:
        raise WeightsError(f"{path}: cannot be read ({error}); {_WHOLE}") from error
    if not isinstance(content, dict):
        raise WeightsError(f"{path}: holds a {type(content).__name__}, expected a dictionary of tensors")
    return content


def _read_safetensors(path: Path) -> dict[str, Any]:
    try:
        return dict(safetensors.torch.load_file(path))
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise WeightsError(f"{path}: cannot be read ({error}); {_WHOLE}") from error


def tensors_of(
    content: Mapping[str, Any], path: Path, *, under: str | None = None, prefix: str = ""
) -> dict[str, Tensor]:
    """Returns the tensors of a checkpoint by name.

    Args:
        content: what `read_checkpoint` returned.
        path: of the file, for messages.
        under: key of the dictionary that holds them, like 'model_vec2face'; in a flat file a prefix with a dot, like
            'model_vec2face.'. A file without either holds them itself.
        prefix: taken off the names; names without it are left out.

    Raises:
        WeightsError: there are no tensors of that kind, or one is sparse, quantised or empty of data.
    """
    inner = content if under is None else _group(content, under)
    found = {
        str(name).removeprefix(prefix): value
        for name, value in (inner.items() if isinstance(inner, Mapping) else ())
        if isinstance(value, Tensor) and str(name).startswith(prefix)
    }
    for name, value in found.items():
        require_plain(name, value, path)
    if not found:
        wanted = "tensors" + (f" under '{under}'" if under else "") + (f" named '{prefix}...'" if prefix else "")
        raise WeightsError(f"{path}: has no {wanted}; it has {listed(map(str, content))}")
    return found


def require_plain(name: str, tensor: Tensor, path: Path) -> None:
    """Checks that a tensor of a checkpoint is an array of numbers.

    Raises:
        WeightsError: it is sparse, quantised, or has no data.
    """
    if tensor.layout is not torch.strided or tensor.is_quantized or tensor.is_meta:
        kind = "without data" if tensor.is_meta else "quantised" if tensor.is_quantized else "sparse"
        raise WeightsError(f"{path}: tensor '{name}' is {kind}, expected an array of numbers; get the weights as such")


def built_from(
    tensors: Mapping[str, Tensor],
    path: Path,
    build: Callable[[Mapping[str, Tensor]], _Network],
    *,
    expected: str = "it is a checkpoint of another network",
) -> _Network:
    """Builds the network that tensors are of and loads them strictly; it is in evaluation mode, float32.

    Args:
        tensors: names as in the network.
        path: of the file, for messages.
        build: returns the network of the depth and width that the tensors have, or raises KeyError with a name they
            lack, or ValueError saying what else is wrong.
        expected: ends the message where it is of another network.

    Raises:
        WeightsError: the tensors are of another network, or do not fit exactly.
    """
    try:
        with torch.device("meta"):
            network = build(tensors)
    except KeyError as error:
        raise WeightsError(f"{path}: it has no {error.args[0]}; {expected}") from error
    except (ValueError, TypeError, IndexError, ZeroDivisionError) as error:  # of tensors without the wanted dimensions
        raise WeightsError(f"{path}: {error}; {expected}") from error
    network.to_empty(device="cpu")
    load_strictly(network, tensors, path)
    return network.eval()


def depth_of(tensors: Mapping[str, Tensor], prefix: str) -> int:
    """Returns how many parts are numbered after a prefix, like 'layer1.' where names go on with '0.conv1.weight'."""
    return len({name.removeprefix(prefix).split(".")[0] for name in tensors if name.startswith(prefix)})


def _group(content: Mapping[str, Any], key: str) -> Any:  # noqa: ANN401
    """Returns what is under a key: a dictionary, or the entries whose flat names begin with it; else the content."""
    if key in content:
        return content[key]
    start = f"{key}."
    return {
        str(name).removeprefix(start): value for name, value in content.items() if str(name).startswith(start)
    } or content


def load_strictly(
    module: nn.Module, tensors: Mapping[str, Tensor], path: Path, *, unused: Collection[str] = ()
) -> None:
    """Loads tensors into a module, all of them and nothing else, cast to the module's dtypes.

    Args:
        module: to be filled.
        tensors: names as in the module.
        path: of the file, for messages.
        unused: names the file may have and the module does not.

    Raises:
        WeightsError: names are missing or unknown, shapes differ, or numbers are NaN or infinite, or become so in
            the module's dtypes.
    """
    wanted = module.state_dict()
    missing = [name for name in wanted if name not in tensors]
    unknown = [name for name in tensors if name not in wanted and name not in unused]
    misshapen = [
        f"{name} {tuple(tensors[name].shape)} instead of {tuple(value.shape)}"
        for name, value in wanted.items()
        if name in tensors and tensors[name].shape != value.shape
    ]
    kinds = {"missing": missing, "unknown": unknown, "of another shape": misshapen}
    mistakes = [f"{len(names)} {kind}: {listed(names)}" for kind, names in kinds.items() if names]
    if mistakes:
        raise WeightsError(
            f"{path}: does not fit {type(module).__name__} ({'; '.join(mistakes)}); "
            "it is a checkpoint of another network or of another width"
        )
    cast = {name: tensors[name].to(value.dtype) for name, value in wanted.items()}
    narrowed = {name: tensor for name, tensor in cast.items() if tensor.dtype != tensors[name].dtype}
    _require_finite({name: tensors[name] for name in wanted}, path, "training failed or it is damaged, get another one")
    _require_finite(narrowed, path, "numbers are too large for the precision, use bfloat16 or float32")
    module.load_state_dict(cast)


def _require_finite(tensors: Mapping[str, Tensor], path: Path, reason: str) -> None:
    """Refuses tensors that are no numbers: pictures made with them would be black, and nothing would say why."""
    bad = [name for name, tensor in tensors.items() if not torch.isfinite(tensor).all()]
    if bad:
        raise WeightsError(f"{path}: {len(bad)} tensors have NaN or infinite numbers: {listed(bad)}; its {reason}")


def listed(names: Iterable[str]) -> str:
    """Returns the first few names, and how many more there are."""
    names = list(names)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
