"""Reads YAML that a person wrote, or that only looks like it: plain data, and never more work than its text shows."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Final

import yaml

MAX_CHARACTERS: Final = 250_000  # of a text, and of what it says with its aliases written out
MAX_DEPTH: Final = 40
_LOWEST, _HIGHEST = -(2**63), 2**64 - 1  # what the widest integers of our tables and seeds can hold


def read_plain_yaml(text: str) -> tuple[Any, yaml.Node | None]:
    """Reads one document.

    Args:
        text: YAML.

    Returns:
        Its content as dicts, lists and scalars, of which no two places share one; and the node with the lines.

    Raises:
        yaml.YAMLError: it is no YAML, a value is not what its tag or form says, an integer needs more than 64 bits,
            or it is nested deeper than `MAX_DEPTH` or longer than `MAX_CHARACTERS`, aliases written out.
    """
    if len(text) > MAX_CHARACTERS:
        raise yaml.YAMLError(f"{len(text)} characters, at most {MAX_CHARACTERS} are read")
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None, None
        _measure(node)
        return _unshared(loader.construct_document(node)), node
    except RecursionError:
        raise yaml.YAMLError(f"nested deeper than {MAX_DEPTH} levels") from None
    finally:
        loader.dispose()


class _Loader(yaml.SafeLoader):
    """Builds plain data, and names the line of a value that cannot be built."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Hashable:
        try:
            value: Hashable = super().construct_object(node, deep)
        except (ValueError, TypeError, LookupError, AttributeError, OverflowError):
            kind = node.tag.rpartition(":")[2]
            raise _refusal(f"{str(node.value)[:60]!r} is no {kind} that can be read", node) from None
        if isinstance(value, int) and not _LOWEST <= value <= _HIGHEST:
            raise _refusal("an integer of more than 64 bits", node)
        return value


def _measure(root: yaml.Node) -> None:
    """Checks depth and length as they are with aliases written out: a few lines can stand for billions."""
    length, waiting = 0, [(root, 1)]
    while waiting:
        node, depth = waiting.pop()
        length += 1 + (len(node.value) if isinstance(node, yaml.ScalarNode) else 0)
        if depth > MAX_DEPTH:
            raise _refusal(f"nested deeper than {MAX_DEPTH} levels", node)
        if length > MAX_CHARACTERS:
            raise _refusal(f"its aliases stand for more than {MAX_CHARACTERS} characters", node)
        waiting += [(child, depth + 1) for child in _children(node)]


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _unshared(value: Any) -> Any:  # noqa: ANN401
    """Returns a copy in which what an alias repeats is an object of its own, so that one can be changed alone."""
    if isinstance(value, dict):
        return {key: _unshared(inner) for key, inner in value.items()}
    return [_unshared(inner) for inner in value] if isinstance(value, list) else value


def _refusal(problem: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
