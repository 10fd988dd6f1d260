"""Checkpoints a killed training goes on from: safetensors and one JSON file, no pickle."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import safetensors.torch
import torch
from torch import Tensor, nn

from synth.errors import WeightsError
from synth.plain_json import read_plain_json
from synth.shards.commit import replace_directory, restore_directory
from synth.training.average import RunningMean
from synth.weights.checkpoints import load_strictly, read_checkpoint, tensors_of

_FOLDER: Final = "checkpoint"
_STATE: Final = "state.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingState:
    """Where a training is.

    Attributes:
        step: steps done.
        best: lowest equal error rate so far, inf before the first.
        sums: of loss, similarity and hits since the last report.
        since: step of that report.
    """

    step: int
    best: float
    sums: list[float]
    since: int


def save_checkpoint(
    folder: Path, model: nn.Module, mean: RunningMean, optimiser: torch.optim.Optimizer, state: TrainingState
) -> None:
    """Replaces the checkpoint of a training folder as a whole.

    Args:
        folder: of the training.
        model: backbone and head.
        mean: of its parameters.
        optimiser: its momenta are kept.
        state: where it is.
    """
    momenta = {
        f"{number}.{name}": value
        for number, values in optimiser.state_dict()["state"].items()
        for name, value in values.items()
        if isinstance(value, Tensor)
    }
    with replace_directory(folder / _FOLDER) as unfinished:
        for name, tensors in (("model", model.state_dict()), ("mean", mean.tensors), ("optimiser", momenta)):
            whole = {key: tensor.detach().cpu().contiguous() for key, tensor in tensors.items()}
            safetensors.torch.save_file(whole, unfinished / f"{name}.safetensors")
        (unfinished / _STATE).write_text(json.dumps(asdict(state)))


def load_checkpoint(
    folder: Path, model: nn.Module, mean: RunningMean, optimiser: torch.optim.Optimizer
) -> TrainingState | None:
    """Brings a training back to its checkpoint.

    Returns:
        The state that was saved; None if there is no checkpoint yet.

    Raises:
        WeightsError: the checkpoint is damaged or of another backbone or head.
    """
    path = folder / _FOLDER
    restore_directory(path)
    if not path.is_dir():
        return None
    try:
        state = TrainingState(**read_plain_json((path / _STATE).read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise WeightsError(f"{path / _STATE}: cannot be read ({error}); remove {path} to begin anew") from error
    load_strictly(model, _tensors(path / "model.safetensors"), path / "model.safetensors")
    means = _tensors(path / "mean.safetensors")
    if means.keys() != mean.tensors.keys():
        raise WeightsError(f"{path / 'mean.safetensors'}: is of another model; remove {path} to begin anew")
    for name, value in mean.tensors.items():
        value.copy_(means[name])
    saved: dict[int, dict[str, Tensor]] = {}
    for key, tensor in _tensors(path / "optimiser.safetensors").items():
        number, _, name = key.partition(".")
        saved.setdefault(int(number), {})[name] = tensor
    optimiser.load_state_dict({"state": saved, "param_groups": optimiser.state_dict()["param_groups"]})
    return state


def _tensors(path: Path) -> dict[str, Tensor]:
    return tensors_of(read_checkpoint(path), path)
