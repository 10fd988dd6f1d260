"""Drives a run from configuration to dataset: five stages, then the folder a stranger loads and the report."""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from pipelines.dataset import finish, forget_dataset
from pipelines.executors.base import Executor
from pipelines.executors.task import versions
from pipelines.file_hashes import FileHashes
from pipelines.fingerprint import STAGES, Fingerprint, fingerprints
from pipelines.preparation import compare_vectors, prepare, renew, set_outdated_vectors_aside
from pipelines.report import write_report
from pipelines.run_directory import (
    MEASURE_BEFORE,
    RunDirectory,
    disk_errors,
    require_shard,
    selection_sha256,
    write_json,
)
from pipelines.runner import Observer, run_stages
from pipelines.schema import RunConfig
from pipelines.stage import Stage
from pipelines.stages.export import Export
from pipelines.stages.generate import Generate
from pipelines.stages.measure import Measure
from pipelines.stages.sample import Sample
from pipelines.stages.select import Select
from pipelines.weight_files import require_weights
from synth.errors import SelectionError
from synth.shards.manifest import ShardRecord

STAGE_CLASSES = (Sample, Generate, Measure, Select, Export)
log = logging.getLogger(__name__)

_TOGETHER = ("generate", "measure")  # one plan serves both: a shard is measured while others are generated


@dataclass(frozen=True, slots=True)
class Result:
    """What a run came to.

    Attributes:
        samples: in the dataset; 0 where the run was ended before.
        identities: with at least one sample.
        num_made: shards that were made now; 0 where there was nothing to do.
    """

    samples: int
    identities: int
    num_made: int


def stages(config: RunConfig, run: RunDirectory) -> list[Stage]:
    """Returns the five stages in order, not opened."""
    return [stage(config, run) for stage in STAGE_CLASSES]


def run_pipeline(
    config: RunConfig,
    run: RunDirectory,
    executor: Executor,
    observer: Observer,
    *,
    redo: str | None = None,
    until: str = STAGES[-1],
    overlap: bool = True,
) -> Result:
    """Runs what is not committed yet, up to and with the stage `until`; a finished run does nothing.

    Args:
        config: checked.
        run: made if it is new.
        executor: who runs the tasks.
        observer: who is told.
        redo: stage to make again, with all after it.
        until: last stage.
        overlap: whether shards are measured while others are generated; a worker then holds both models.

    Raises:
        SynthError: weight files are missing, the directory belongs to another run, tasks failed, the disk is full, or
            nothing was kept.
    """
    require_weights(config)
    hashes = FileHashes(run.hashes)
    wanted = fingerprints(config, hashes)
    with disk_errors(run.root), run.lock(), closing(executor):
        hashes.save()
        prepare(run, wanted, config.identities.count, config.images.max_rounds, redo)
        _describe(run, config)
        made = 0
        in_order = stages(config, run)[: STAGES.index(until) + 1]
        for group in _groups(in_order, config.images.max_rounds, overlap=overlap):
            made += _run_group(run, group, executor, observer, wanted)
        if until != STAGES[-1]:
            return Result(0, 0, made)
        selected = ShardRecord.read(require_shard(run, "select", 0)).counts
        finish(config, run)
        return Result(selected["kept"], selected["identities"], made)


def _groups(in_order: Sequence[Stage], rounds: int, *, overlap: bool) -> list[list[Stage]]:
    """Returns the stages in order, those that run at the same time together; without overlap some once a round."""
    first, *faces = (list(group) for _, group in itertools.groupby(in_order, lambda stage: stage.name in _TOGETHER))
    if not faces:
        return [first]
    together, *rest = faces
    alone = [[stage] for stage in together]
    later = alone * (rounds - 1) if len(together) > 1 else []
    return [first, *([together] if overlap else alone + later), *([stage] for group in rest for stage in group)]


def _run_group(
    run: RunDirectory,
    group: Sequence[Stage],
    executor: Executor,
    observer: Observer,
    wanted: Mapping[str, Fingerprint],
) -> int:
    """Runs stages with what belongs before and behind them; returns how many shards were made."""
    names = [stage.name for stage in group]
    if "sample" in names:
        set_outdated_vectors_aside(run, group[0].tasks()[0])
    if "export" in names:
        renew(run, "export", wanted["export"].including("selection.parquet", selection_sha256(run)))
        if not all(run.holds("export", task) for task in group[0].tasks()):
            forget_dataset(run)
    made = run_stages(run, group, executor, observer)
    if "sample" in names:
        compare_vectors(run)
    if "measure" in names and all(run.holds("measure", task) for task in group[-1].tasks()):
        run.discard(run.stage(MEASURE_BEFORE))
    if "select" in names:
        _require_samples(run)
    return made


def _require_samples(run: RunDirectory) -> None:
    counts = ShardRecord.read(require_shard(run, "select", 0)).counts
    if counts["kept"]:
        return
    drops = {name.removeprefix("dropped_by_"): number for name, number in counts.items() if name.startswith("dropped_")}
    worst = max(drops, key=lambda name: drops[name])
    page = write_report(run.root)
    raise SelectionError(
        f"{run.root}: none of {counts['candidates']} candidates was kept; {worst} dropped {drops[worst]} of them; "
        f"{page} shows its numbers: change its bounds and run again, images stay"
    )


def _describe(run: RunDirectory, config: RunConfig) -> None:
    """Writes run.json: the configuration as read, versions, and when the run began."""
    content: dict[str, Any] = {"config": config.model_dump(mode="json", exclude_unset=True), "versions": versions()}
    path = run.root / "run.json"
    before = run.read_run() if path.exists() else {}
    _warn_of_other_versions(run, before.get("versions", content["versions"]), content["versions"])
    content["created"] = before.get("created") or time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    if content != before:
        write_json(path, content)


def _warn_of_other_versions(run: RunDirectory, before: Mapping[str, str], now: Mapping[str, str]) -> None:
    """Says that the run goes on with other libraries; `shard.json` says which shard was made with which."""
    changed = [
        f"{name} {before.get(name, 'absent')}, now {now.get(name, 'absent')}"
        for name in sorted(before.keys() | now.keys())
        if before.get(name) != now.get(name)
    ]
    if changed:
        log.warning(
            "%s: goes on with other versions (%s); shards made now can differ from those at hand by rounding",
            run.root,
            "; ".join(changed),
        )
