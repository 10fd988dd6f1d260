"""Components by name: the folder is the registry.

`type: rendered` is the one concrete `Generator` defined in `synth/generators/rendered.py`; `type: my_lab.toy` is
the one defined in any importable module `my_lab.toy`; `type: my_lab.toy.Toy` names the class itself.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import math
import pkgutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, get_type_hints

import yaml
from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from synth.errors import ComponentError

KINDS: Mapping[str, tuple[str, str]] = {
    "sampler": ("synth.samplers", "IdentitySampler"),
    "generator": ("synth.generators", "Generator"),
    "recogniser": ("synth.recognisers", "Recogniser"),
    "filter": ("filters", "Filter"),
    "exporter": ("synth.exporters", "Exporter"),
    "backbone": ("synth.training.backbones", "Backbone"),
    "head": ("synth.training.heads", "Head"),
}

_LONGEST = 200  # characters of a value in a message


@dataclass(frozen=True, slots=True)
class ComponentSpec:
    """A component as plain data: what travels between processes and into fingerprints.

    Attributes:
        kind: one of `KINDS`.
        type: file name in the kind's folder, or a dotted module or class.
        options: arguments of its constructor, as read from the configuration.
    """

    kind: str
    type: str
    options: Mapping[str, Any] = field(default_factory=dict)


def available(kind: str) -> list[str]:
    """Returns the names of the components in a kind's folder, sorted."""
    package = importlib.import_module(KINDS[kind][0])
    return sorted(module.name for module in pkgutil.iter_modules(package.__path__) if module.name != "base")


def resolve(kind: str, name: str) -> type[Any]:
    """Imports and returns the class behind a component's name.

    Raises:
        ComponentError: there is no such component, or its file does not define exactly one.
    """
    folder, base_name = KINDS[kind]
    base = getattr(importlib.import_module(f"{folder}.base"), base_name)
    if "." not in name:
        if name not in available(kind):
            raise ComponentError(_unknown(kind, name))
        return _only_class(importlib.import_module(f"{folder}.{name}"), base)
    if not all(part.isidentifier() for part in name.split(".")):
        raise ComponentError(f"no {kind} {name!r}: expected a file of {folder}, or a module like 'my_lab.toy'")
    try:
        return _only_class(importlib.import_module(name), base)
    except ModuleNotFoundError as missing:
        module, _, attribute = name.rpartition(".")
        try:
            found = getattr(importlib.import_module(module), attribute)
        except (ModuleNotFoundError, AttributeError):
            raise ComponentError(f"no {kind} '{name}': {missing}") from missing
        if not (inspect.isclass(found) and issubclass(found, base)):
            raise ComponentError(f"'{name}' is no {kind}: expected a subclass of {base_name}") from None
        return found


def check(spec: ComponentSpec, given: Collection[str] = ()) -> dict[str, Any]:
    """Checks a component's options against its constructor, without building it.

    Args:
        spec: what to check.
        given: arguments that whoever builds it adds, like a head's `num_labels`; no options.

    Returns:
        The arguments as the constructor takes them (nested option groups become their dataclasses).

    Raises:
        ComponentError: with every mistake, a line each, like `Rendered.size: expected int, got '112'`.
    """
    component = resolve(spec.kind, spec.type)
    parameters = inspect.signature(component).parameters
    hints = get_type_hints(component.__init__)
    mistakes: list[str] = []
    arguments: dict[str, Any] = {}
    options = [name for name in parameters if name not in given]
    for name, value in spec.options.items():
        if name not in options:
            mistakes.append(f"{component.__name__}.{name}: unknown option{_hint(name, options)}")
            continue
        try:
            arguments[name] = _adapter(hints.get(name, Any)).validate_python(value)
        except ValidationError as error:
            mistakes += [f"{component.__name__}.{line}" for line in _lines(name, error)]
    for name in options:
        if parameters[name].default is inspect.Parameter.empty and name not in spec.options:
            mistakes.append(f"{component.__name__}.{name}: missing; this option has no default")
    if mistakes:
        raise ComponentError("\n".join(mistakes))
    return arguments


def build(spec: ComponentSpec, device: str = "cpu", **given: Any) -> Any:  # noqa: ANN401
    """Loads a component: its constructor runs, weights are read.

    Args:
        spec: what to build.
        device: like 'cpu' or 'cuda:0'; handed to constructors that take a `device` the options do not name.
        given: further arguments of the constructor, which are no options.

    Raises:
        ComponentError: an option is unknown, has the wrong type, or the constructor refuses its value.
    """
    arguments = check(spec, given) | given
    component = resolve(spec.kind, spec.type)
    if "device" in inspect.signature(component).parameters:
        arguments.setdefault("device", device)
    try:
        return component(**arguments)
    except ValueError as error:
        raise ComponentError(f"{spec.kind} {spec.type}: {error}") from error


def describe(mistake: ErrorDetails) -> str:
    """Returns what is wrong with a value and, for a number that YAML takes for text, how to write it."""
    message, value = mistake["msg"], mistake["input"]
    return f"{message[:1].lower()}{message[1:]}, got {shown(value)}{_as_number(value)}"


def shown(value: Any) -> str:  # noqa: ANN401
    """Returns a value as messages show it, cut where it is long."""
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _as_number(value: Any) -> str:  # noqa: ANN401
    """YAML 1.1 reads 1e-3, without a point, as text."""
    try:
        number = float(value) if isinstance(value, str) else math.nan
    except ValueError:
        return ""
    if not math.isfinite(number):
        return ""
    written = yaml.safe_dump(int(number) if number.is_integer() else number).splitlines()[0]
    return f"; that is text, write {written}"


def _only_class(module: Any, base: type[Any]) -> type[Any]:  # noqa: ANN401
    """Returns the single concrete subclass of `base` that a module defines."""
    found = [
        value
        for value in vars(module).values()
        if inspect.isclass(value)
        and issubclass(value, base)
        and value.__module__ == module.__name__
        and not inspect.isabstract(value)
    ]
    if len(found) != 1:
        raise ComponentError(
            f"{module.__name__}: expected one {base.__name__}, found {len(found)}; name the class in `type`"
        )
    return found[0]


def _adapter(annotation: Any) -> TypeAdapter[Any]:  # noqa: ANN401
    try:
        return TypeAdapter(annotation, config=ConfigDict(strict=True, extra="forbid", allow_inf_nan=False))
    except PydanticUserError:  # the annotation is a dataclass, which brings its own configuration
        return TypeAdapter(annotation)


def _lines(name: str, error: ValidationError) -> list[str]:
    lines = []
    for mistake in error.errors(include_url=False):
        place = ".".join([name, *map(str, mistake["loc"])])
        lines.append(f"{place}: {describe(mistake)}")
    return lines


def _unknown(kind: str, name: str) -> str:
    names = available(kind)
    folder = KINDS[kind][0].replace(".", "/")
    return f"no {kind} named '{name}'; {folder}/ has {', '.join(names)}{_hint(name, names)}"


def _hint(name: str, names: list[str]) -> str:
    close = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean '{close[0]}'?" if close else ""
