"""The command line. Everything heavy is imported by the command that needs it."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import typer

from pipelines.commands.arguments import fail
from pipelines.commands.cleaning import clean
from pipelines.commands.exporting import export
from pipelines.commands.inspecting import audit, report, status, verify
from pipelines.commands.learning import evaluate, train
from pipelines.commands.listing import components
from pipelines.commands.publishing import publish
from pipelines.commands.running import run
from pipelines.commands.sampling import fit_sampler
from pipelines.commands.weights import weights
from synth.errors import DISK_FULL, ConfigError, DiskFullError, SynthError

app = typer.Typer(
    name="synth",
    help="Turns identity vectors into face datasets that train face recognisers.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (run, status, verify, report, export, clean, audit, publish, components, fit_sampler, train, evaluate):
    app.command()(command)
app.add_typer(weights, name="weights")


def main() -> NoReturn:
    """Entry point of the `synth` command: exit 0 done, 1 tasks failed, 2 bad configuration or run, 130 Ctrl-C."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # as in the workers: sums must not depend on the number of cores
    try:
        app(standalone_mode=True)
    except SynthError as error:
        fail(str(error), error.exit_code)
    except OSError as error:
        if error.errno in DISK_FULL:
            fail("no space left on the disk; free some and run again", DiskFullError.exit_code)
        if error.filename is None:  # not about a path that the user named
            raise
        fail(f"{error.filename}: {error.strerror}", ConfigError.exit_code)
    sys.exit(0)
