"""Reads a configuration and finds all its mistakes before anything is loaded."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pipelines import schema
from pipelines.combinations import impossible_combinations
from pipelines.run_directory import RunDirectory
from pipelines.schema import RunConfig
from pipelines.source_map import KeyPath, SourceMap, apply_overrides, read_yaml
from synth import components
from synth.errors import ComponentError, ConfigError, RunError


def load_config(path: Path, overrides: Sequence[str] = ()) -> RunConfig:
    """Reads and checks a configuration file.

    Args:
        path: of the YAML file.
        overrides: `path.to.key=value` pairs that replace what the file says.

    Raises:
        ConfigError: with every mistake found, a line each: `file:line: key: message`.
    """
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file"
        raise ConfigError(f"{path}: cannot be read: {reason}") from error
    return parse_config(text, str(path), overrides)


def parse_config(text: str, name: str, overrides: Sequence[str] = ()) -> RunConfig:
    """Checks a configuration's text; `name` stands for the file in messages. Raises as `load_config`."""
    data, source = read_yaml(text, name)
    apply_overrides(data, overrides, source)
    mistakes = [f"{name}:{line}: {_dotted(path)}: written twice; keep one of them" for path, line in source.duplicates]
    try:
        config = RunConfig.model_validate(data)
    except ValidationError as error:
        mistakes += [_schema_mistake(entry, source) for entry in error.errors(include_url=False)]
        mistakes += _component_mistakes(_readable_components(data), source)
        raise ConfigError("\n".join(mistakes)) from error
    mistakes += _component_mistakes([(path, spec) for path, spec in config.components()], source)
    mistakes += [
        f"{source.place(path)}: {_dotted(path)}: {message}"
        for path, message in impossible_combinations(config, complete=not mistakes)
    ]
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    return config


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


def _schema_mistake(entry: ErrorDetails, source: SourceMap) -> str:
    path: KeyPath = tuple(entry["loc"])
    place = f"{source.place(path)}: {_dotted(path)}"
    if entry["type"] == "extra_forbidden":
        return f"{place}: unknown key{_hint(str(path[-1]), _known_keys(path[:-1]))}"
    if entry["type"] == "missing":
        return f"{place}: missing; this key has no default"
    if entry["type"] in ("model_type", "model_attributes_type"):
        return f"{place}: expected `key: value` lines, got {entry['input']!r}"
    return f"{place}: {components.describe(entry)}"


def _known_keys(path: KeyPath) -> list[str]:
    """Returns the keys the schema has at a place."""
    model: type[BaseModel] = RunConfig
    for part in path:
        annotation = model.model_fields[str(part)].annotation
        assert isinstance(annotation, type)
        model = annotation
    return list(model.model_fields)


def _readable_components(data: dict[str, Any]) -> list[tuple[KeyPath, components.ComponentSpec]]:
    """Returns the components of a configuration that has mistakes elsewhere, so that theirs show as well."""
    places: list[tuple[KeyPath, str, Any, type[BaseModel]]] = [
        (("generator",), "generator", data.get("generator"), schema.Component),
        (("recogniser",), "recogniser", data.get("recogniser"), schema.Component),
        (("export",), "exporter", data.get("export"), schema.ExportSection),
    ]
    identities = data.get("identities")
    if isinstance(identities, dict):
        places.append((("identities", "sampler"), "sampler", identities.get("sampler"), schema.Component))
    filters = data.get("filters")
    for position, section in enumerate(filters if isinstance(filters, list) else []):
        places.append((("filters", position), "filter", section, schema.FilterSection))
    found = []
    for path, kind, section, model in places:
        if isinstance(section, dict) and isinstance(section.get("type"), str):
            options = {str(key): value for key, value in section.items() if key not in model.model_fields}
            found.append((path, components.ComponentSpec(kind, section["type"], options)))
    return found


def _component_mistakes(found: Sequence[tuple[KeyPath, components.ComponentSpec]], source: SourceMap) -> list[str]:
    """Checks types and options of components; returns a line for each mistake."""
    mistakes = []
    for path, spec in found:
        try:
            component = components.resolve(spec.kind, spec.type)
        except ComponentError as error:
            inner = (*path, "type")
            mistakes.append(f"{source.place(inner)}: {_dotted(inner)}: {error}")
            continue
        try:
            components.check(spec)
        except ComponentError as error:
            for line in str(error).splitlines():
                option, _, message = line.removeprefix(f"{component.__name__}.").partition(":")
                inner = (*path, *option.split("."))
                mistakes.append(f"{source.place(inner)}: {_dotted(inner)}:{message}")
    return mistakes


def _dotted(path: KeyPath) -> str:
    return ".".join(map(str, path)) or "the file"


def _hint(word: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean '{close[0]}'?" if close else f"; known here: {', '.join(known)}"
