"""Reads the configuration of a training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from pipelines import checking
from pipelines.schema import Component
from pipelines.source_map import KeyPath
from pipelines.training.schema import TrainConfig
from synth import components
from synth.extras import require_extra

HEAD_GIVEN = ("num_labels", "embedding_size")


def load_train_config(path: Path, overrides: Sequence[str] = ()) -> TrainConfig:
    """Reads and checks a configuration file.

    Args:
        path: of the YAML file.
        overrides: `path.to.key=value` pairs that replace what the file says.

    Raises:
        ComponentError: torch or another package of the extra `train` is not installed.
        ConfigError: with every mistake found, a line each: `file:line: key: message`.
    """
    require_extra("train", "torch", "accelerate", "simplejpeg")
    return checking.load(_KIND, path, overrides)


def _places(data: dict[str, Any]) -> Iterator[tuple[KeyPath, str, Any, type[BaseModel]]]:
    for kind in ("backbone", "head"):
        yield (kind,), kind, data.get(kind), Component


def _impossible_combinations(config: TrainConfig, complete: bool) -> Iterator[tuple[KeyPath, str]]:
    """Yields what a head cannot work with; only of configurations without other mistakes."""
    if not complete:
        return
    head = components.resolve("head", config.head.type)
    if head.needs_pairs and (config.data.images_per_identity or 1) < 2:
        reason = f"head {config.head.type} compares images of one identity within a batch"
        yield ("data", "images_per_identity"), f"{reason}; say how many of each a batch has, like 4"


_KIND = checking.Kind(TrainConfig, _places, _impossible_combinations, given={"head": HEAD_GIVEN})
