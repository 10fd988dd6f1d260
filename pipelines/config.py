"""Reads the configuration of a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from pipelines import checking, schema
from pipelines.combinations import impossible_combinations
from pipelines.run_directory import RunDirectory
from pipelines.schema import RunConfig
from pipelines.source_map import KeyPath
from synth.errors import RunError


def load_config(path: Path, overrides: Sequence[str] = ()) -> RunConfig:
    """Reads and checks a configuration file.

    Args:
        path: of the YAML file.
        overrides: `path.to.key=value` pairs that replace what the file says.

    Raises:
        ConfigError: with every mistake found, a line each: `file:line: key: message`.
    """
    return checking.load(_KIND, path, overrides)


def parse_config(text: str, name: str, overrides: Sequence[str] = ()) -> RunConfig:
    """Checks a configuration's text; `name` stands for the file in messages. Raises as `load_config`."""
    return checking.parse(_KIND, text, name, overrides)


def stored_config(run: RunDirectory) -> RunConfig:
    """Returns the configuration that a run was made with.

    Raises:
        RunError: it is no run directory, or its configuration cannot be read.
    """
    try:
        return RunConfig.model_validate(run.read_run()["config"])
    except ValidationError as error:
        raise RunError(
            f"{run.root / 'run.json'}: its configuration is damaged or of another version of synth; "
            "run the configuration again"
        ) from error


def _places(data: dict[str, Any]) -> Iterator[tuple[KeyPath, str, Any, type[BaseModel]]]:
    yield ("generator",), "generator", data.get("generator"), schema.Component
    yield ("recogniser",), "recogniser", data.get("recogniser"), schema.Component
    yield ("export",), "exporter", data.get("export"), schema.ExportSection
    identities = data.get("identities")
    if isinstance(identities, dict):
        yield ("identities", "sampler"), "sampler", identities.get("sampler"), schema.Component
    filters = data.get("filters")
    for position, section in enumerate(filters if isinstance(filters, list) else []):
        yield ("filters", position), "filter", section, schema.FilterSection


_KIND = checking.Kind(RunConfig, _places, lambda config, complete: impossible_combinations(config, complete=complete))
