"""Commands that train and judge recognisers."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.arguments import ConfigArgument, Overrides


class Device(StrEnum):
    """Where networks are trained."""

    CPU = "cpu"
    CUDA = "cuda"


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
    rate = outcome.equal_error_rate
    quality = "not known, log.jsonl lacks it" if rate is None else f"{rate:.4f} on held-out identities"
    nothing = "" if outcome.is_new else "; there was nothing to do"
    print(f"{outcome.model}: equal error rate {quality}{nothing}")


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
            print(f"{result.pair_set.name}: folds are not balanced; figures are not comparable with published ones")
    if out is not None:
        print(f"{out / 'index.html'}: figures and curves")
