"""The command line. Everything heavy is imported by the command that needs it."""

from __future__ import annotations

import inspect
import logging
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer

from pipelines.fingerprint import STAGES
from synth.errors import ConfigError, SynthError

if TYPE_CHECKING:
    from pipelines.run_directory import RunDirectory
    from pipelines.schema import RunConfig

INTERRUPTED = 130

app = typer.Typer(
    name="synth",
    help="Turns identity vectors into face datasets that train face recognisers.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class Norm(StrEnum):
    """What a vector's length says: nothing, or something a generator reads."""

    UNIT = "unit"
    RAW = "raw"


class Device(StrEnum):
    """Where networks are trained."""

    CPU = "cpu"
    CUDA = "cuda"


class Crop(StrEnum):
    """Which images a dataset holds: aligned faces of 112 px, or the images as they were generated."""

    ALIGNED = "aligned"
    GENERATED = "generated"


class _ListUnlessNamed(typer.core.TyperGroup):
    """Takes `synth weights CONFIG` for `synth weights list CONFIG`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401, typer's own Context or click's
        if args and args[0] not in {*self.commands, "--help"}:
            args = ["list", *args]
        return super().parse_args(ctx, args)


weights_app = typer.Typer(cls=_ListUnlessNamed, no_args_is_help=True, help="Lists, fetches and converts weight files.")
app.add_typer(weights_app, name="weights")

RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="Run directory.", show_default=False)]
ConfigArgument = Annotated[Path, typer.Argument(help="Configuration, a YAML file.", show_default=False)]
Overrides = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Replace a.b=value of CONFIG.")]


def main() -> NoReturn:
    """Entry point of the `synth` command: exit 0 done, 1 tasks failed, 2 bad configuration or run, 130 Ctrl-C."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # as in the workers: sums must not depend on the number of cores
    try:
        app(standalone_mode=True)
    except SynthError as error:
        _fail(str(error), error.exit_code)
    except OSError as error:
        if error.filename is None:  # not about a path that the user named
            raise
        _fail(f"{error.filename}: {error.strerror}", ConfigError.exit_code)
    sys.exit(0)


@app.command()
def run(
    config: ConfigArgument,
    run_dir: Annotated[Path | None, typer.Option(help="Run directory; default: runs/<name of CONFIG>.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Tasks at once; default: one a device.")] = None,
    devices: Annotated[str, typer.Option(help="Devices, like cuda:0,cuda:1.")] = "cpu",
    redo: Annotated[str | None, typer.Option(metavar="STAGE", help="Make this stage and those after it again.")] = None,
    until: Annotated[str, typer.Option(metavar="STAGE", help="Stop after this stage.")] = STAGES[-1],
    keep_going: Annotated[bool, typer.Option("--keep-going", help="Run the other tasks when one fails.")] = False,
    overrides: Overrides = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and stop.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log each shard to the terminal.")] = False,
) -> None:
    """Makes a dataset, or goes on with one; a finished run does nothing."""
    from pipelines.config import load_config
    from pipelines.run_directory import RunDirectory

    for option, stage in (("--redo", redo), ("--until", until)):
        if stage is not None and stage not in STAGES:
            raise ConfigError(f"{option}: no stage named '{stage}'; stages are {', '.join(STAGES)}")
    checked = load_config(config, overrides or [])
    directory = RunDirectory(run_dir or Path("runs") / config.stem)
    if dry_run:
        _print_plan(checked, directory)
        return
    _log_to(directory, verbose)

    from pipelines.driver import run_pipeline
    from pipelines.executors.local import LocalExecutor
    from pipelines.progress import progress

    names = [name.strip() for name in devices.split(",") if name.strip()] or ["cpu"]
    executor = LocalExecutor(workers or len(names), names, keep_going=keep_going)
    try:
        result = run_pipeline(checked, directory, executor, progress(), redo=redo, until=until)
    except KeyboardInterrupt:
        _fail(f"{directory.root}: interrupted; committed shards stay: run again to go on", INTERRUPTED)
    if until != STAGES[-1]:
        print(f"{directory.root}: done until {until}; {result.num_made} shards made")
        return
    nothing = "" if result.num_made else "; there was nothing to do"
    print(f"{directory.dataset}: {result.samples:,} images of {result.identities:,} identities{nothing}")
    print(f"{directory.report / 'index.html'}: pictures and numbers")


@app.command()
def status(run: RunArgument) -> None:
    """Shows how far each stage of a run is."""
    from pipelines.inspection import status as status_of
    from pipelines.run_directory import RunDirectory

    for stage in status_of(RunDirectory(run)):
        planned = "?" if stage.planned is None else str(stage.planned)
        failed = f", {stage.failed} failed" if stage.failed else ""
        counts = ", ".join(f"{number:,} {name}" for name, number in stage.counts.items() if "dropped" not in name)
        print(f"{stage.name:<8} {stage.committed:>6} of {planned} shards{failed}  {counts}")


@app.command()
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


@app.command()
def report(run: RunArgument) -> None:
    """Writes the report of a run again."""
    from pipelines.report import write_report
    from pipelines.run_directory import disk_errors

    with disk_errors(run):
        print(write_report(run))


@app.command()
def export(
    run: RunArgument,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="New folder of the dataset.", show_default=False)],
    kind: Annotated[str, typer.Option("--type", help="Exporter, like record_io; see `synth components exporter`.")],
    crop: Annotated[Crop | None, typer.Option(help="Which images; default: those of the run's own dataset.")] = None,
    options: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Option of the exporter.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace an earlier export in OUT.")] = False,
) -> None:
    """Writes the samples of a finished run in another format; the run stays as it is."""
    from pipelines.exporting import export_run
    from pipelines.progress import progress
    from pipelines.run_directory import RunDirectory

    wanted: Literal["aligned", "generated"] | None = None
    if crop is not None:
        wanted = "aligned" if crop is Crop.ALIGNED else "generated"
    try:
        done = export_run(RunDirectory(run), out, kind, progress(), crop=wanted, options=options or [], replace=replace)
    except KeyboardInterrupt:
        _fail(f"{out}: interrupted; nothing was written", INTERRUPTED)
    print(f"{done.folder}: {done.samples:,} images of {done.identities:,} identities; README.md says how to load them")


@app.command()
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


@app.command()
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


@weights_app.command("list")
def list_weights(
    config: ConfigArgument,
    download: Annotated[bool, typer.Option("--download", help="Fetch what is missing and on the hub.")] = False,
    overrides: Overrides = None,
) -> None:
    """Lists the weight files of CONFIG and how to get what is missing; `list` may be left out."""
    from pipelines.weight_commands import list_weights as listed

    raise typer.Exit(listed(config, overrides or [], download=download))


@weights_app.command("convert")
def convert_weights(
    source: Annotated[Path, typer.Argument(metavar="IN", help="Pickled checkpoint or contexts.", show_default=False)],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="New .safetensors or .npy.", show_default=False)],
) -> None:
    """Converts a pickled checkpoint to .safetensors, or pickled identity contexts to .npy; runs no code of theirs."""
    from pipelines.weight_commands import convert_weights as converted

    print(converted(source, target))


@app.command("fit-sampler")
def fit_sampler(
    embeddings: Annotated[Path, typer.Argument(help=".npy, .npz, .safetensors or .parquet file.", show_default=False)],
    out: Annotated[Path, typer.Argument(help=".npz or .safetensors file to write.", show_default=False)],
    key: Annotated[str | None, typer.Option(help="Array or column of EMBEDDINGS, where there are several.")] = None,
    components: Annotated[int | None, typer.Option(help="Principal components to keep; default: all.")] = None,
    space: Annotated[str | None, typer.Option(help="Embedding space of the vectors, like arcface_webface42m.")] = None,
    norm: Annotated[
        Norm, typer.Option(help="unit scales the vectors to length 1; raw keeps their lengths.")
    ] = Norm.UNIT,
) -> None:
    """Fits the sampler pca_gaussian: mean and principal components of EMBEDDINGS, none of them kept."""
    from pipelines.sampler_fitting import fit_sampler as fit

    found = fit(
        embeddings, out, key=key, components=components, space=space, norm="unit" if norm is Norm.UNIT else "raw"
    )
    kept, dimension = found.components.shape
    print(
        f"{out}: {kept} components of {found.count:,} vectors of {dimension}, {norm} norm, space {space or 'unknown'}"
    )


@app.command()
def train(
    config: ConfigArgument,
    run_dir: Annotated[
        Path | None, typer.Option(help="Folder of the training; default: runs/<name of CONFIG>.")
    ] = None,
    device: Annotated[
        Device, typer.Option(help="Where it computes; `accelerate launch` for several GPUs.")
    ] = Device.CPU,
    threads: Annotated[int | None, typer.Option(min=1, help="Of the CPU; default: all cores.")] = None,
    workers: Annotated[int, typer.Option(min=0, help="Processes that read images ahead.")] = 1,
    overrides: Overrides = None,
) -> None:
    """Trains a recogniser on an exported dataset, or goes on with it."""
    from pipelines.training.config import load_train_config

    checked = load_train_config(config, overrides or [])

    from pipelines.training.command import train as run_training
    from pipelines.training.lines import print_line

    outcome = run_training(
        checked,
        run_dir or Path("runs") / config.stem,
        device=device.value,
        threads=threads,
        num_workers=workers,
        watch=print_line,
    )
    if not outcome.is_main:
        return
    nothing = "" if outcome.is_new else "; there was nothing to do"
    print(f"{outcome.model}: equal error rate {outcome.equal_error_rate:.4f} on held-out identities{nothing}")


@app.command()
def evaluate(
    sets: Annotated[list[Path], typer.Argument(metavar="BIN...", help="Sets of pairs, as insightface writes them.")],
    models: Annotated[list[str], typer.Option("--model", help="Training, recogniser, or {type: name, option: value}.")],
    names: Annotated[list[Path] | None, typer.Option(help="CSV that says who is in a set, one a set.")] = None,
    device: Annotated[str, typer.Option(help="Device, like cuda:0.")] = "cpu",
    out: Annotated[Path | None, typer.Option(help="Folder for evaluation.json and a page.")] = None,
) -> None:
    """Judges recognisers on sets of pairs of aligned faces."""
    from pipelines.evaluation.command import evaluate_all, read_sets, table
    from pipelines.evaluation.models import parse_model

    parsed = [parse_model(text) for text in models]
    pair_sets = read_sets(sets, names or [])
    for pair_set in pair_sets:
        for line in pair_set.pairs.unreadable:
            print(f"{pair_set.name}: left out: {line}", file=sys.stderr)
    results = evaluate_all(parsed, pair_sets, device, out)
    for line in table(results):
        print(line)
    for result in results:
        if not result.evaluation.balanced:
            print(f"{result.set_name}: folds are not balanced; figures are not comparable with published ones")
    if out is not None:
        print(f"{out / 'index.html'}: figures and curves")


def _print_plan(config: RunConfig, directory: RunDirectory) -> None:
    """Prints what a run would do."""
    from pipelines.estimate import estimate
    from pipelines.weight_files import missing_files

    plan = estimate(config, directory)
    for stage in plan:
        print(
            f"{stage.name:<8} {stage.tasks:>6} tasks, {stage.committed} committed  "
            f"{stage.amount:<24} about {_megabytes(stage.size)}"
        )
    print(f"{directory.root}: about {_megabytes(sum(stage.size for stage in plan))} in all; nothing was run")
    missing = missing_files(config)
    for file in missing:
        print(f"{file.path}: missing, a run needs it")
    if missing:
        print("`synth weights CONFIG` says how to get missing files")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size < 1e9 else f"{size / 1e9:,.1f} GB"


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


def _fail(message: str, exit_code: int) -> NoReturn:
    print(message, file=sys.stderr)
    sys.exit(exit_code)
