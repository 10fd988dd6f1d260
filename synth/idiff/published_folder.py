"""Where a training of IDiff-Face left its checkpoint, and what the configuration beside it says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from synth.errors import WeightsError
from synth.plain_yaml import read_plain_yaml

_CHECKPOINT = Path("checkpoints") / "ema_averaged_model.ckpt"
_CONFIGURATION = Path(".hydra") / "config.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What a checkpoint does not tell; the defaults are those of all published ones.

    Attributes:
        image_size: side of the pictures, px.
        head_channels: channels of an attention head.
        num_steps: T of the noise schedule.
        schedule: kind of the noise schedule.
    """

    image_size: int = 128
    head_channels: int = 32
    num_steps: int = 1000
    schedule: str = "linear"


def checkpoint_in(weights: Path) -> Path:
    """Returns the checkpoint that a path stands for.

    Args:
        weights: the file itself, or a folder like trained_models/unet-cond-ca-bs512-150K-cpd25; in that,
            checkpoints/ema_averaged_model.safetensors where there is one, else .ckpt.
    """
    if not weights.is_dir():
        return weights
    converted = (weights / _CHECKPOINT).with_suffix(".safetensors")
    return converted if converted.is_file() else weights / _CHECKPOINT


def configuration_of(checkpoint: Path) -> Path | None:
    """Returns the .hydra/config.yaml beside a checkpoint or beside its folder, None where there is none."""
    beside = [folder / _CONFIGURATION for folder in checkpoint.parents[:2]]
    return next((path for path in beside if path.is_file()), None)


def read_training(checkpoint: Path) -> Training:
    """Reads .hydra/config.yaml beside a checkpoint or beside its folder; without one, returns the published values.

    Raises:
        WeightsError: the file is no YAML, holds no settings, or has a value of another type.
    """
    path = configuration_of(checkpoint)
    if path is None:
        return Training()
    try:
        content, _ = read_plain_yaml(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise WeightsError(f"{path}: cannot be read as YAML ({error}); get it again, or remove it") from error
    if not isinstance(content, dict):
        raise WeightsError(f"{path}: holds no settings by name; get it again, or remove it")
    default = Training()
    return Training(
        image_size=_value(content, path, "constants.image_size", default.image_size),
        head_channels=_value(content, path, "model.attention_head_channels", default.head_channels),
        num_steps=_value(content, path, "diffusion.T", default.num_steps),
        schedule=_value(content, path, "diffusion.schedule_type", default.schedule),
    )


def _value(content: Any, path: Path, place: str, default: Any) -> Any:  # noqa: ANN401
    """Returns the value at a dotted place, of the default's type and positive; the default where there is none."""
    value = content
    for key in place.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    if value is None:
        return default
    if type(value) is not type(default) or (isinstance(value, int) and value < 1):
        raise WeightsError(f"{path}: {place}: expected {type(default).__name__} like {default}, got {value!r}")
    return value
