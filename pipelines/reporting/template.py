"""Renders the pages of a run from their templates."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from pipelines.reporting.distributions import in_words


def render(template: str, **values: Any) -> str:  # noqa: ANN401
    """Returns a page: text in it is escaped, and a value that the template wants and does not get is an error."""
    environment = Environment(
        loader=PackageLoader("pipelines", "reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["words"] = in_words
    environment.filters["thousands"] = lambda number: f"{number:,}"
    return environment.get_template(template).render(values)
