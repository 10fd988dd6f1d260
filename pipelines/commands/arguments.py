"""Arguments that several commands have, and how a command ends badly."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer

INTERRUPTED: Final = 130  # exit code, as of shells

RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="Run directory.", show_default=False)]
ConfigArgument = Annotated[Path, typer.Argument(help="Configuration, a YAML file.", show_default=False)]
Overrides = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Replace a.b=value of CONFIG.")]


def fail(message: str, exit_code: int) -> NoReturn:
    """Ends the process with a message and an exit code."""
    print(message, file=sys.stderr)
    sys.exit(exit_code)
