"""What `synth weights` does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from pipelines.config import load_config
from pipelines.weight_files import needed_files
from pipelines.weight_table import inspect_files, show
from synth.errors import WeightsError
from synth.weights.files import WeightFile


def list_weights(config: Path, overrides: Sequence[str], *, download: bool) -> int:
    """Shows the weight files of a configuration, having fetched what the hub has if that is asked for.

    Args:
        config: path of the configuration.
        overrides: as of `load_config`.
        download: whether to fetch missing files.

    Returns:
        The exit code: 0 where all files are there and whole, else 2.

    Raises:
        ConfigError: the configuration is wrong.
    """
    needed = needed_files(load_config(config, overrides))
    console = Console(highlight=False)
    failures = _fetch([each.file for each in needed], console) if download else []
    lines = inspect_files(needed)
    show(console, lines)
    for failure in failures:
        Console(stderr=True).print(failure, soft_wrap=True, highlight=False, markup=False)
    return 0 if all(line.state == "present" for line in lines) else WeightsError.exit_code


def _fetch(files: Sequence[WeightFile], console: Console) -> list[str]:
    """Fetches what is missing and on the hub; returns a message for each file that could not be had."""
    from synth.weights.hub import fetch

    failures = []
    for file in files:
        if file.is_present or file.repo is None:
            continue
        console.print(f"fetching {file.path} from {file.repo}", soft_wrap=True, markup=False)
        try:
            fetch(file)
        except WeightsError as error:
            failures.append(str(error))
    return failures


def convert_weights(source: Path, target: Path) -> str:
    """Converts a pickled checkpoint or file of contexts; returns what to tell.

    Raises:
        WeightsError: as `synth.weights.conversion.convert`.
        VectorsError: likewise.
        ComponentError: torch is not installed.
    """
    from synth.extras import require_extra

    require_extra("diffusion", "torch")
    from synth.weights.conversion import convert

    done = convert(source, target)
    if target.suffix == ".npy":
        return f"{target}: {done.count:,} vectors"
    shown = f", dropped {', '.join(done.dropped)}" if done.dropped else ""
    return f"{target}: {done.count:,} tensors{shown}"
