"""Checks a configuration file of any kind and finds all its mistakes, each with file and line."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pipelines.schema import Configuration
from pipelines.source_map import KeyPath, SourceMap, apply_overrides, read_yaml
from synth import components
from synth.components import ComponentSpec
from synth.errors import ComponentError, ConfigError

_Configuration = TypeVar("_Configuration", bound=Configuration)


@dataclass(frozen=True, slots=True)
class Kind(Generic[_Configuration]):
    """A kind of configuration file.

    Attributes:
        model: pydantic model of the whole file.
        places: finds the component sections in a file that has mistakes elsewhere, so that theirs show as well: path,
            kind, what is there, and the model of the section.
        further: mistakes that only the whole configuration shows, as path and message; told whether there are others.
        given: arguments of components, by their kind, that are no options.
    """

    model: type[_Configuration]
    places: Callable[[dict[str, Any]], Iterable[tuple[KeyPath, str, Any, type[BaseModel]]]]
    further: Callable[[_Configuration, bool], Iterable[tuple[KeyPath, str]]] = lambda config, complete: ()
    given: Mapping[str, Collection[str]] = field(default_factory=dict)


def load(kind: Kind[_Configuration], path: Path, overrides: Sequence[str]) -> _Configuration:
    """Reads and checks a configuration file; errors as `parse`, or ConfigError where it cannot be read."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file"
        raise ConfigError(f"{path}: cannot be read: {reason}") from error
    return parse(kind, text, str(path), overrides)


def parse(kind: Kind[_Configuration], text: str, name: str, overrides: Sequence[str]) -> _Configuration:
    """Checks a configuration's text.

    Args:
        kind: of the file.
        text: YAML.
        name: stands for the file in messages.
        overrides: `path.to.key=value` pairs that replace what the file says.

    Raises:
        ConfigError: with every mistake found, a line each: `file:line: key: message`.
    """
    data, source = read_yaml(text, name)
    apply_overrides(data, overrides, source)
    mistakes = [f"{name}:{line}: {_dotted(path)}: written twice; keep one of them" for path, line in source.duplicates]
    try:
        config = kind.model.model_validate(data)
    except ValidationError as error:
        mistakes += [_schema_mistake(entry, kind.model, source) for entry in error.errors(include_url=False)]
        mistakes += _component_mistakes(_readable_components(kind.places(data)), kind.given, source)
        raise ConfigError("\n".join(mistakes)) from error
    mistakes += _component_mistakes(config.components(), kind.given, source)
    mistakes += [
        f"{source.place(path)}: {_dotted(path)}: {message}" for path, message in kind.further(config, not mistakes)
    ]
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    return config


def _schema_mistake(entry: ErrorDetails, model: type[BaseModel], source: SourceMap) -> str:
    path: KeyPath = tuple(entry["loc"])
    place = f"{source.place(path)}: {_dotted(path)}"
    if entry["type"] == "extra_forbidden":
        return f"{place}: unknown key{_hint(str(path[-1]), _known_keys(model, path[:-1]))}"
    if entry["type"] == "missing":
        return f"{place}: missing; this key has no default"
    if entry["type"] in ("model_type", "model_attributes_type"):
        return f"{place}: expected `key: value` lines, got {components.shown(entry['input'])}"
    return f"{place}: {components.describe(entry)}"


def _known_keys(model: type[BaseModel], path: KeyPath) -> list[str]:
    """Returns the keys the schema has at a place."""
    for part in path:
        annotation = model.model_fields[str(part)].annotation
        assert isinstance(annotation, type)
        model = annotation
    return list(model.model_fields)


def _readable_components(
    places: Iterable[tuple[KeyPath, str, Any, type[BaseModel]]],
) -> list[tuple[KeyPath, ComponentSpec]]:
    """Returns the components of a configuration that has mistakes elsewhere."""
    found = []
    for path, kind, section, model in places:
        if isinstance(section, dict) and isinstance(section.get("type"), str):
            options = {str(key): value for key, value in section.items() if key not in model.model_fields}
            found.append((path, ComponentSpec(kind, section["type"], options)))
    return found


def _component_mistakes(
    found: Iterable[tuple[KeyPath, ComponentSpec]], given: Mapping[str, Collection[str]], source: SourceMap
) -> list[str]:
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
            components.check(spec, given.get(spec.kind, ()))
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
