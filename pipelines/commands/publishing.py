"""The command that publishes a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.arguments import INTERRUPTED, RunArgument, fail


def publish(
    run: RunArgument,
    repo_id: Annotated[str, typer.Argument(metavar="REPO_ID", help="On the hub: owner/name.", show_default=False)],
    tag: Annotated[str, typer.Option(help="Git tag of the published version.")] = "v1",
    public: Annotated[bool, typer.Option("--public", help="Let everybody find it; default: private.")] = False,
    ungated: Annotated[
        bool, typer.Option("--ungated", help="Give the files to whoever finds them; default: on request.")
    ] = False,
    to: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write what would be published here, and send nothing.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check all, list what would be sent, and stop.")] = False,
    without_audit: Annotated[
        bool, typer.Option("--without-audit", help="Publish a run that was not audited; its card says so.")
    ] = False,
    vectors_are_synthetic: Annotated[
        bool, typer.Option("--vectors-are-synthetic", help="Vectors read from a file are not those of real people.")
    ] = False,
) -> None:
    """Publishes a finished run's dataset on the Hugging Face hub, verified, with card, Croissant and preview."""
    from pipelines.publishing.publication import Publication
    from pipelines.publishing.publish import publish as publish_run
    from pipelines.run_directory import RunDirectory, disk_errors

    publication = Publication(repo_id=repo_id, tag=tag, public=public, gated=not ungated)
    try:
        with disk_errors(run):
            publish_run(
                RunDirectory(run),
                publication,
                say=print,
                to=to,
                dry_run=dry_run,
                without_audit=without_audit,
                vectors_are_synthetic=vectors_are_synthetic,
            )
    except KeyboardInterrupt:
        fail(f"{repo_id}: interrupted; run the same command again to go on", INTERRUPTED)
