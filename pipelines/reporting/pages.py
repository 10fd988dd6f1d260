"""Pages out of templates: self-contained, without scripts or network."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from pipelines.reporting.distributions import in_words


def render(template: str, **values: Any) -> str:  # noqa: ANN401
    """Returns the page that a template of this folder makes of values; a value that is missing is an error."""
    environment = Environment(
        loader=PackageLoader("pipelines", "reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["words"] = in_words
    environment.filters["thousands"] = lambda number: f"{number:,}"
    return environment.get_template(template).render(**values)
