"""Commands that look at a run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from pipelines.commands.arguments import RunArgument
from pipelines.quantities import duration, storage

if TYPE_CHECKING:
    from pipelines.status import StageStatus


def status(
    run: RunArgument,
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")] = False,
) -> None:
    """Shows how far a run is, how fast it goes, what it takes on disk and what failed; it may be under way."""
    from dataclasses import asdict

    from pipelines.run_directory import RunDirectory
    from pipelines.status import run_status

    found = run_status(RunDirectory(run))
    if as_json:
        print(json.dumps(asdict(found), indent=1))
        return
    print(f"{run}: {found.holder or 'nobody'} works on it")
    for stage in found.stages:
        print(_stage_line(stage))
    print(f"{storage(found.size)} in committed shards, {storage(found.free)} free")
    for failure in found.failures:
        tries = "" if failure.attempts == 1 else f" after {failure.attempts} attempts"
        print("\n".join([f"{failure.task} failed{tries}: {failure.reason}", *failure.traceback]))


def _stage_line(stage: StageStatus) -> str:
    planned = "?" if stage.planned is None else str(stage.planned)
    failed = f", {stage.failed} failed" if stage.failed else ""
    counts = ", ".join(f"{number:,} {name}" for name, number in stage.counts.items() if "dropped" not in name)
    pace = "" if stage.per_second is None else f"  {stage.per_second:,.1f} {stage.unit}/s"
    left = "" if stage.seconds_left is None else f", about {duration(stage.seconds_left)} left"
    return f"{stage.name:<8} {stage.committed:>6} of {planned} shards{failed}  {counts}{pace}{left}".rstrip()


def verify(run: RunArgument) -> None:
    """Hashes every committed file again and names the damaged ones."""
    from pipelines.inspection import damages
    from pipelines.run_directory import RunDirectory
    from synth.errors import ShardError

    found = damages(RunDirectory(run))
    if found:
        raise ShardError(
            "\n".join([*found, "remove the folders of damaged shards, or dataset/, and run again to make them anew"])
        )
    print(f"{run}: all committed files are as they were written")


def report(run: RunArgument) -> None:
    """Writes the report of a run again."""
    from pipelines.report import write_report
    from pipelines.run_directory import RunDirectory, disk_errors

    directory = RunDirectory(run)
    directory.read_run()  # a folder that is no run gets no lock file
    with disk_errors(run), directory.lock():
        print(write_report(run))


def audit(
    run: RunArgument,
    max_inter: Annotated[
        float | None,
        typer.Option("--max-inter", help="Largest cosine of two classes; default: the run's own bound."),
    ] = None,
    galleries: Annotated[
        list[str] | None,
        typer.Option("--gallery", metavar="MAPPING", help="Real people's embeddings: '{file: FILE, space: NAME}'."),
    ] = None,
    recogniser: Annotated[
        str | None,
        typer.Option(metavar="MAPPING", help="A second one, for a gallery of its space: '{type: NAME, ...}'."),
    ] = None,
    samples: Annotated[int | None, typer.Option(min=1, help="About how many are examined one by one.")] = None,
    device: Annotated[str, typer.Option(help="That the second recogniser runs on.")] = "cpu",
) -> None:
    """Audits a finished run's dataset: people, labels, balance, duplicates, poison, leaks; exits 1 if one fails."""
    from pipelines.audit import write_audit
    from pipelines.auditing.settings import MOST_SAMPLES, AuditSettings, read_gallery, read_recogniser
    from pipelines.run_directory import disk_errors
    from synth.errors import AuditFailedError

    settings = AuditSettings(
        max_inter_class_similarity=max_inter,
        galleries=[read_gallery(text) for text in galleries or []],
        recogniser=None if recogniser is None else read_recogniser(recogniser),
        samples=samples or MOST_SAMPLES,
        device=device,
    )
    with disk_errors(run):
        result = write_audit(run, settings)
    failed = []
    for one in result.audits:
        for check in one.checks:
            print(f"{one.name:<12} {check.status:<8} {check.name}: {check.says}")
            failed += [f"{one.name}: {check.name}: {check.says}"] if check.status == "fail" else []
    print(result.page)
    if failed:
        how_many = "a check" if len(failed) == 1 else f"{len(failed)} checks"
        raise AuditFailedError("\n".join([*failed, f"{run}: {how_many} failed; {result.page} shows more"]))
