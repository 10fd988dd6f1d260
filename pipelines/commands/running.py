"""Commands that make a run."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.commands.arguments import INTERRUPTED, ConfigArgument, Overrides, fail
from pipelines.fingerprint import STAGES, require_stage
from pipelines.quantities import storage

if TYPE_CHECKING:
    from pipelines.run_directory import RunDirectory
    from pipelines.schema import RunConfig


def run(
    config: ConfigArgument,
    run_dir: Annotated[Path | None, typer.Option(help="Run directory; default: runs/<name of CONFIG>.")] = None,
    executor: Annotated[str, typer.Option(help="Who runs the tasks: local or ray.")] = "local",
    workers: Annotated[int | None, typer.Option(min=1, help="Tasks at once; default: one a device.")] = None,
    devices: Annotated[str, typer.Option(help="Devices, like cuda:0,cuda:1; with ray cpu or cuda.")] = "cpu",
    ray_address: Annotated[str | None, typer.Option(help="Of a running Ray cluster; default: one of its own.")] = None,
    redo: Annotated[str | None, typer.Option(metavar="STAGE", help="Make this stage and those after it again.")] = None,
    until: Annotated[str, typer.Option(metavar="STAGE", help="Stop after this stage.")] = STAGES[-1],
    keep_going: Annotated[bool, typer.Option("--keep-going", help="Run the other tasks when one fails.")] = False,
    overlap: Annotated[bool, typer.Option(help="Measure shards while others are generated.")] = True,
    overrides: Overrides = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and stop.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log each shard to the terminal.")] = False,
) -> None:
    """Makes a dataset, or goes on with one; a finished run does nothing."""
    from pipelines.config import load_config
    from pipelines.run_directory import RunDirectory

    for option, stage in (("--redo", redo), ("--until", until)):
        if stage is not None:
            require_stage(option, stage)
    checked = load_config(config, overrides or [])
    directory = RunDirectory(run_dir or Path("runs") / config.stem)
    if dry_run:
        _print_plan(checked, directory)
        return
    _log_to(directory, verbose)

    from pipelines.driver import run_pipeline
    from pipelines.executors.choice import executor_for
    from pipelines.progress import progress

    chosen = executor_for(executor, workers, devices.split(","), ray_address=ray_address, keep_going=keep_going)
    try:
        result = run_pipeline(checked, directory, chosen, progress(), redo=redo, until=until, overlap=overlap)
    except KeyboardInterrupt:
        fail(f"{directory.root}: interrupted; committed shards stay: run again to go on", INTERRUPTED)
    if until != STAGES[-1]:
        print(f"{directory.root}: done until {until}; {result.num_made} shards made")
        return
    nothing = "" if result.num_made else "; there was nothing to do"
    print(f"{directory.dataset}: {result.samples:,} images of {result.identities:,} identities{nothing}")
    print(f"{directory.report / 'index.html'}: pictures and numbers")


def _print_plan(config: RunConfig, directory: RunDirectory) -> None:
    """Prints what a run would do."""
    from pipelines.estimate import estimate
    from pipelines.weight_files import missing_files

    plan = estimate(config, directory)
    for stage in plan:
        print(
            f"{stage.name:<8} {stage.tasks:>6} tasks, {stage.committed} committed  "
            f"{stage.amount:<24} about {storage(stage.size)}"
        )
    print(f"{directory.root}: about {storage(sum(stage.size for stage in plan))} in all; nothing was run")
    missing = missing_files(config)
    for file in missing:
        print(f"{file.path}: missing, a run needs it")
    if missing:
        print("`synth weights CONFIG` says how to get missing files")


def _log_to(directory: RunDirectory, verbose: bool) -> None:
    """Sends our log lines to the run's log file and, if asked, to the terminal; warnings always go there."""
    logging.raiseExceptions = False  # a full disk is told once, by the run, not with each line
    form = logging.Formatter("%(asctime)s %(levelname)s %(message)s")
    to_file = logging.FileHandler(directory.log, delay=True)  # no file and no folder before there is a run
    to_terminal = logging.StreamHandler()
    to_terminal.setLevel(logging.INFO if verbose else logging.WARNING)
    ours = logging.getLogger("pipelines")
    ours.setLevel(logging.INFO)
    for handler in (to_file, to_terminal):
        handler.setFormatter(form)
        ours.addHandler(handler)
