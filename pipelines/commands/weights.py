"""Commands for weight files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pipelines.commands.arguments import ConfigArgument, Overrides


class _ListUnlessNamed(typer.core.TyperGroup):
    """Takes `synth weights CONFIG` for `synth weights list CONFIG`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401, typer's own Context or click's
        if args and args[0] not in {*self.commands, "--help"}:
            args = ["list", *args]
        return super().parse_args(ctx, args)


weights = typer.Typer(cls=_ListUnlessNamed, no_args_is_help=True, help="Lists, fetches and converts weight files.")


@weights.command("list")
def list_weights(
    config: ConfigArgument,
    download: Annotated[bool, typer.Option("--download", help="Fetch what is missing and on the hub.")] = False,
    overrides: Overrides = None,
) -> None:
    """Lists the weight files of CONFIG and how to get what is missing; `list` may be left out."""
    from pipelines.weight_commands import list_weights as listed

    raise typer.Exit(listed(config, overrides or [], download=download))


@weights.command("convert")
def convert_weights(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Pickled checkpoint or contexts.", show_default=False)],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="New .safetensors or .npy.", show_default=False)],
) -> None:
    """Converts a pickled checkpoint to .safetensors, or pickled identity contexts to .npy; runs no code of theirs."""
    from pipelines.weight_commands import convert_weights as converted

    print(converted(source, target))
