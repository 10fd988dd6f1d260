"""A run from Python: what `synth run` does, as a function."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from pipelines.config import load_config, parse_config
from pipelines.driver import Result, run_pipeline
from pipelines.executors.choice import executor_for
from pipelines.fingerprint import STAGES, require_stage
from pipelines.progress import progress
from pipelines.run_directory import RunDirectory
from pipelines.runner import Observer
from pipelines.schema import RunConfig
from pipelines.stage import Stage
from synth.shards.manifest import ShardRecord, Task


def run(
    config: str | Path | Mapping[str, Any],
    run_dir: str | Path,
    *,
    overrides: Mapping[str, Any] | None = None,
    executor: str = "local",
    workers: int | None = None,
    devices: Sequence[str] = ("cpu",),
    ray_address: str | None = None,
    redo: str | None = None,
    until: str = STAGES[-1],
    keep_going: bool = False,
    overlap: bool = True,
    show_progress: bool = False,
) -> Result:
    """Makes a dataset, or goes on with one: the same bytes as on the command line.

    All tasks run in worker processes of one thread each, so neither the caller's settings nor its random numbers have
    a say in a shard, and a script needs no `if __name__ == "__main__"`.

    Args:
        config: path of a YAML file, or its content.
        run_dir: the run's directory, made if it is new; the dataset is its folder `dataset`.
        overrides: dotted key to value, as `--set` has them: {"identities.count": 200}.
        executor: who runs the tasks: 'local' or 'ray'.
        workers: tasks at once; one a device by default.
        devices: like 'cpu' or 'cuda:0', dealt to the workers in turn; with Ray 'cpu' or 'cuda'.
        ray_address: of a running Ray cluster; by default the run has one of its own.
        redo: stage to make again, with all after it.
        until: last stage.
        keep_going: whether the other tasks run when one fails.
        overlap: whether shards are measured while others are generated; a worker then holds both models.
        show_progress: whether the error stream shows how it goes.

    Returns:
        How much the dataset holds, and how many shards were made now.

    Raises:
        ConfigError: the configuration is wrong, with a line for each mistake; or there is no such stage.
        SynthError: as `synth run` fails: tasks failed, the directory belongs to another run, the disk is full, ... .
        ComponentError: Ray is not installed.
        ValueError: no worker.
    """
    for name, stage in (("redo", redo), ("until", until)):
        if stage is not None:
            require_stage(name, stage)
    observer: Observer = progress() if show_progress else _Silent()
    chosen = executor_for(
        executor, workers, devices, ray_address=ray_address, keep_going=keep_going, in_this_process=False
    )
    checked = _checked(config, [f"{key}={json.dumps(value)}" for key, value in (overrides or {}).items()])
    return run_pipeline(checked, RunDirectory(Path(run_dir)), chosen, observer, redo=redo, until=until, overlap=overlap)


def _checked(config: str | Path | Mapping[str, Any], overrides: Sequence[str]) -> RunConfig:
    if isinstance(config, Mapping):
        return parse_config(yaml.safe_dump(dict(config), sort_keys=False), "config", overrides)
    return load_config(Path(config), overrides)


class _Silent:
    """Watches a run and says nothing."""

    def stage_started(self, stage: Stage, tasks: Sequence[Task], done: Sequence[ShardRecord]) -> None:
        """A stage began."""

    def shard_committed(self, stage: str, record: ShardRecord) -> None:
        """One more shard."""

    def stage_ended(self, stage: str) -> None:
        """The stage ended."""
