"""The command that frees disk."""

from __future__ import annotations

from typing import Annotated

import typer

from pipelines.commands.arguments import RunArgument
from pipelines.quantities import storage


def clean(
    run: RunArgument,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would be freed and stop.")] = False,
) -> None:
    """Frees the images of a finished run's rejected candidates; tables, kept images and the dataset stay."""
    from pipelines.cleaning import clean as clean_run
    from pipelines.run_directory import RunDirectory, disk_errors

    with disk_errors(run):
        freed = clean_run(RunDirectory(run), dry_run=dry_run)
    would = "would be" if dry_run else "were"
    print(f"{run}: {freed.images:,} images of rejected candidates {would} freed, {storage(freed.size)}")
