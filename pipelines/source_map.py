"""Where each key of a configuration was written: line numbers for messages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from synth.components import shown
from synth.errors import ConfigError
from synth.plain_yaml import read_plain_yaml

KeyPath: TypeAlias = tuple[str | int, ...]

_POSITION = re.compile(r"[0-9]{1,6}")  # of an item in a list


@dataclass(slots=True)
class SourceMap:
    """A configuration's name and the line of each of its keys.

    Attributes:
        name: of the file, as messages show it.
        lines: line, from 1, of each key; keys that came from `--set` have none.
        overridden: keys that came from `--set`.
        duplicates: keys written twice, with the line of the second.
    """

    name: str
    lines: dict[KeyPath, int] = field(default_factory=dict)
    overridden: set[KeyPath] = field(default_factory=set)
    duplicates: list[tuple[KeyPath, int]] = field(default_factory=list)

    def place(self, path: KeyPath) -> str:
        """Returns 'file:line' of a key or, if it is not there, of the nearest one around it; or '--set'."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.overridden:
                return "--set"
            if path[:end] in self.lines:
                return f"{self.name}:{self.lines[path[:end]]}"
        return self.name


def read_yaml(text: str, name: str) -> tuple[dict[str, Any], SourceMap]:
    """Reads a configuration's text into plain data and the lines of its keys.

    Raises:
        ConfigError: it is not YAML, or not a mapping.
    """
    source = SourceMap(name)
    try:
        data, node = read_plain_yaml(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{name}:{mark.line + 1}" if mark else name
        problem = getattr(error, "problem", None) or str(error)
        raise ConfigError(f"{place}: not YAML: {problem}") from error
    if not isinstance(data, dict) or node is None:
        raise ConfigError(f"{name}: expected `key: value` lines, got {type(data).__name__}")
    _collect(node, (), source)
    return data, source


def apply_overrides(data: dict[str, Any], overrides: Sequence[str], source: SourceMap) -> None:
    """Writes `a.b=value` pairs into a configuration; values are read as YAML, list items are numbered from 0.

    Raises:
        ConfigError: a pair has no '=', or its path goes through something that holds no keys.
    """
    for override in overrides:
        dotted, equals, text = override.partition("=")
        if not equals or not dotted:
            raise ConfigError(f"--set: expected path.to.key=value, got {override!r}")
        path = tuple(int(part) if _POSITION.fullmatch(part) else part for part in dotted.split("."))
        parent: Any = data
        try:
            for part in path[:-1]:
                parent = parent.setdefault(part, {}) if isinstance(parent, dict) else parent[part]
            parent[path[-1]], _ = read_plain_yaml(text)
        except (KeyError, IndexError, TypeError):
            raise ConfigError(f"--set: {dotted}: there is no such place in {source.name}") from None
        except yaml.YAMLError as error:
            problem = getattr(error, "problem", None) or str(error)
            raise ConfigError(f"--set: {dotted}: not YAML: {shown(text)}: {problem}") from error
        source.overridden.add(path)


def _collect(node: yaml.Node, path: KeyPath, source: SourceMap) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*path, key.value)
            if inner in source.lines:
                source.duplicates.append((inner, key.start_mark.line + 1))
            source.lines[inner] = key.start_mark.line + 1
            _collect(value, inner, source)
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            source.lines[(*path, position)] = value.start_mark.line + 1
            _collect(value, (*path, position), source)
