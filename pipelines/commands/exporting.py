"""The command that writes a run in another format."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from pipelines.commands.arguments import INTERRUPTED, RunArgument, fail


class Crop(StrEnum):
    """Which images a dataset holds: aligned faces of 112 px, or the images as they were generated."""

    ALIGNED = "aligned"
    GENERATED = "generated"


def export(
    run: RunArgument,
    out: Annotated[
        str, typer.Argument(metavar="OUT", help="New folder of the dataset, or its URL in a store.", show_default=False)
    ],
    kind: Annotated[str, typer.Option("--type", help="Exporter, like record_io; see `synth components exporter`.")],
    crop: Annotated[Crop | None, typer.Option(help="Which images; default: those of the run's own dataset.")] = None,
    options: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Option of the exporter.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace an earlier export in OUT.")] = False,
) -> None:
    """Writes the samples of a finished run in another format; the run stays as it is."""
    from pipelines.exporting import export_run
    from pipelines.exporting_to_store import export_to_store
    from pipelines.progress import progress
    from pipelines.run_directory import RunDirectory
    from synth.shards.object_store import is_url

    wanted: Literal["aligned", "generated"] | None = None
    if crop is not None:
        wanted = "aligned" if crop is Crop.ALIGNED else "generated"
    place, directory = out.removeprefix("file://"), RunDirectory(run)
    try:
        if is_url(place):
            done = export_to_store(
                directory, place, kind, progress(), crop=wanted, options=options or [], replace=replace
            )
        else:
            done = export_run(
                directory, Path(place), kind, progress(), crop=wanted, options=options or [], replace=replace
            )
    except KeyboardInterrupt:
        fail(f"{place}: interrupted; run it again to write it as a whole", INTERRUPTED)
    print(f"{done.place}: {done.samples:,} images of {done.identities:,} identities; README.md says how to load them")
