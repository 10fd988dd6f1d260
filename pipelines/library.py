"""A run from Python: what `synth run` does, as a function."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from pipelines.config import load_config, parse_config
from pipelines.driver import Result, run_pipeline
from pipelines.executors.local import LocalExecutor
from pipelines.fingerprint import STAGES
from pipelines.progress import progress
from pipelines.run_directory import RunDirectory
from pipelines.runner import Observer
from pipelines.schema import RunConfig
from pipelines.stage import Stage
from synth.errors import ConfigError
from synth.shards.manifest import ShardRecord, Task


def run(
    config: str | Path | Mapping[str, Any],
    run_dir: str | Path,
    *,
    overrides: Mapping[str, Any] | None = None,
    workers: int = 1,
    devices: Sequence[str] = ("cpu",),
    redo: str | None = None,
    until: str = STAGES[-1],
    keep_going: bool = False,
    show_progress: bool = False,
) -> Result:
    """Makes a dataset, or goes on with one: the same bytes as on the command line.

    All work is done in worker processes of one thread each, so neither the caller's settings nor its random numbers
    have a say, and a script needs no `if __name__ == "__main__"`.

    Args:
        config: path of a YAML file, or its content.
        run_dir: the run's directory, made if it is new; the dataset is its folder `dataset`.
        overrides: dotted key to value, as `--set` has them: {"identities.count": 200}.
        workers: tasks at once.
        devices: like 'cpu' or 'cuda:0', dealt to the workers in turn.
        redo: stage to make again, with all after it.
        until: last stage.
        keep_going: whether the other tasks run when one fails.
        show_progress: whether the error stream shows how it goes.

    Returns:
        How much the dataset holds, and how many shards were made now.

    Raises:
        ConfigError: the configuration is wrong, with a line for each mistake; or there is no such stage.
        SynthError: as `synth run` fails: tasks failed, the directory belongs to another run, the disk is full, ... .
        ValueError: no worker, or no device.
    """
    for name, stage in (("redo", redo), ("until", until)):
        if stage is not None and stage not in STAGES:
            raise ConfigError(f"{name}: no stage named '{stage}'; stages are {', '.join(STAGES)}")
    observer: Observer = progress() if show_progress else _Silent()
    executor = LocalExecutor(workers, devices, keep_going=keep_going, in_this_process=False)
    checked = _checked(config, [f"{key}={json.dumps(value)}" for key, value in (overrides or {}).items()])
    return run_pipeline(checked, RunDirectory(Path(run_dir)), executor, observer, redo=redo, until=until)


def _checked(config: str | Path | Mapping[str, Any], overrides: Sequence[str]) -> RunConfig:
    if isinstance(config, Mapping):
        return parse_config(yaml.safe_dump(dict(config), sort_keys=False), "config", overrides)
    return load_config(Path(config), overrides)


class _Silent:
    """Watches a run and says nothing."""

    def stage_started(self, stage: Stage, tasks: Sequence[Task], done: Sequence[ShardRecord]) -> None:
        """A stage began."""

    def shard_committed(self, record: ShardRecord) -> None:
        """One more shard."""

    def stage_ended(self) -> None:
        """The stage ended."""
