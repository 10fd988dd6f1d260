"""The command that lists components."""

from __future__ import annotations

import inspect
from typing import Annotated

import typer

from synth.errors import ConfigError


def components(
    kind: Annotated[str | None, typer.Argument(help="One kind only, like filter.", show_default=False)] = None,
) -> None:
    """Lists the components a configuration can name, with their options."""
    from synth.components import KINDS, available, resolve

    if kind is not None and kind not in KINDS:
        raise ConfigError(f"no kind of component named '{kind}'; kinds are {', '.join(KINDS)}")
    for each in [kind] if kind else list(KINDS):
        print(f"{each}s")
        for name in available(each):
            try:
                component = resolve(each, name)
            except ModuleNotFoundError as missing:  # backbones and heads are networks, the base install has none
                print(f"  {name:<22} needs {missing.name}, not installed here: pip install 'synth[train]'")
                continue
            parameters = inspect.signature(component).parameters.values()
            print(f"  {name:<22} {(inspect.getdoc(component) or '').splitlines()[0]}")
            for parameter in parameters:
                print(f"    {parameter}".replace("'", ""))
