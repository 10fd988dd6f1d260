"""What the classes of a run's components say about themselves, where they are installed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synth.components import resolve
from synth.errors import ComponentError


def component_type(config: Mapping[str, Any], kind: str) -> str:
    """Returns the type of a run's generator or recogniser; empty where the configuration names none."""
    section = config.get(kind)
    return str(section.get("type", "")) if isinstance(section, Mapping) else ""


def filter_unit(type_name: str) -> str:
    """Returns the unit of a filter's numbers."""
    return str(getattr(_class("filter", type_name), "unit", ""))


def image_license(generator: str) -> str:
    """Returns the licence of the images a generator makes."""
    return str(getattr(_class("generator", generator), "license", ""))


def truth_units(generator: str) -> dict[str, str]:
    """Returns the units of a generator's truth columns, by name."""
    columns = getattr(_class("generator", generator), "truth", {})
    return {name: column.unit for name, column in columns.items()}


def _class(kind: str, type_name: str) -> type[Any] | None:
    """Returns a component's class, or None: a report can be made where a component is not installed."""
    try:
        return resolve(kind, type_name) if type_name else None
    except (ComponentError, ImportError):
        return None
