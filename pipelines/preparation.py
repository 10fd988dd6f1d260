"""Compares a run directory with a configuration and clears what has to be made again, before anything runs."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping

from pipelines.fingerprint import ROUNDS, STAGES, Fingerprint, made_from_same_faces
from pipelines.plan import round_of
from pipelines.run_directory import MEASURE_BEFORE, RunDirectory
from synth.errors import FingerprintError, RunError
from synth.shards.array import read_array
from synth.shards.manifest import ShardRecord, Task

# Generated images and embeddings cost hours: only a person throws them away. The rest follows from tables in minutes.
COSTLY = ("sample", "generate", "measure")
VECTORS = "vectors.npy"
_PREVIOUS = "previous"
_FREE_TO_CHANGE = ("identities.count=", "export.shard_size=")  # of `select`: no image that was rejected comes back

log = logging.getLogger(__name__)


def prepare(
    run: RunDirectory, wanted: Mapping[str, Fingerprint], count: int, rounds: int, redo: str | None = None
) -> None:
    """Makes a locked run directory ready for a configuration.

    Args:
        run: locked.
        wanted: fingerprint of each stage, and of who is short of images.
        count: number of identities.
        rounds: most rounds of candidates.
        redo: stage to make again, with all after it.

    Raises:
        FingerprintError: costly stages were made with another configuration.
        RunError: it holds more identities or rounds than wanted, or `synth clean` freed images that would be needed.
    """
    _refuse_what_needs_freed(run, wanted, redo)
    if redo is not None:
        for stage in STAGES[STAGES.index(redo) :]:
            discard_stage(run, stage)
    _refuse_fewer(run, count)
    _refuse_fewer_rounds(run, rounds)
    _set_faces_aside(run, wanted)
    for stage in COSTLY:
        _refuse_difference(run, stage, wanted[stage])
    for stage in COSTLY:
        run.begin(stage, wanted[stage])
    _renew_later_rounds(run, wanted[ROUNDS])
    if renew(run, "select", wanted["select"]):
        discard_stage(run, "export")
    shutil.rmtree(run.failed, ignore_errors=True)


def renew(run: RunDirectory, stage: str, wanted: Fingerprint) -> bool:
    """Begins a stage; clears it if it was made with another configuration, and returns whether it was."""
    made_with = run.made_with(stage)
    is_stale = made_with is not None and made_with[0] != wanted.digest
    if made_with is not None and is_stale:
        reasons = wanted.differences(made_with[1]) or ["the stages before changed"]
        log.info("%s is made again: %s", stage, "; ".join(reasons))
        discard_stage(run, stage)
    run.begin(stage, wanted)
    return is_stale


def _renew_later_rounds(run: RunDirectory, wanted: Fingerprint) -> None:
    """Discards the candidates of later rounds if other identities would get some now; those of the first stay."""
    made_with = run.made_with(ROUNDS)
    if made_with is not None and made_with[0] != wanted.digest:
        reasons = wanted.differences(made_with[1]) or ["the images of the first round changed"]
        for stage in ("generate", "measure"):
            later = [path for path in run.shards(stage) if round_of(int(path.name))]
            if later:
                log.info("%s: rounds after the first are made again: %s", stage, "; ".join(reasons))
            for path in later:
                run.discard(path)
    run.begin(ROUNDS, wanted)


def discard_stage(run: RunDirectory, stage: str) -> None:
    """Removes a stage and, with `export` and `select`, the dataset, report and audit made from it."""
    run.discard(run.stage(stage))
    if stage == "generate":
        run.discard(run.cleaned)
    if stage == "measure":
        run.discard(run.stage(MEASURE_BEFORE))
    if stage == "export":
        for made_from_it in (run.dataset, run.report, run.audit):
            run.discard(made_from_it)


def set_outdated_vectors_aside(run: RunDirectory, planned: Task) -> None:
    """Keeps the vectors of a smaller count for comparison while the larger count is sampled."""
    shards = run.shards("sample")
    if shards and ShardRecord.read(shards[0]).task != planned:
        run.discard(run.stage("sample") / _PREVIOUS)
        shards[0].rename(run.stage("sample") / _PREVIOUS)


def compare_vectors(run: RunDirectory) -> None:
    """Checks that a larger count starts with the vectors that the images at hand were made from.

    Raises:
        RunError: it does not; the former vectors are back in place.
    """
    previous = run.stage("sample") / _PREVIOUS
    if not previous.is_dir():
        return
    before = read_array(previous / VECTORS)
    now = read_array(run.shard("sample", 0) / VECTORS)
    if now[: len(before)].tobytes() != before.tobytes():
        run.discard(run.shard("sample", 0))
        previous.rename(run.shard("sample", 0))
        raise RunError(
            f"{run.root}: the sampler does not give the same first {len(before)} vectors for a larger "
            "identities.count; use another --run-dir"
        )
    run.discard(previous)


def _set_faces_aside(run: RunDirectory, wanted: Mapping[str, Fingerprint]) -> None:
    """Keeps a `measure` that differs in its filters only: the new one takes faces and numbers from it."""
    made_with = run.made_with("measure")
    if made_with is None or made_with[0] == wanted["measure"].digest or not made_from_same_faces(made_with, wanted):
        return
    log.info("measure goes on with other filters: %s", "; ".join(wanted["measure"].differences(made_with[1])))
    if run.shards(MEASURE_BEFORE):  # changed again before it was through
        run.discard(run.stage("measure"))
    elif run.shards("measure"):
        run.discard(run.stage(MEASURE_BEFORE))
        run.stage("measure").rename(run.stage(MEASURE_BEFORE))


def _refuse_what_needs_freed(run: RunDirectory, wanted: Mapping[str, Fingerprint], redo: str | None) -> None:
    """Refuses, before anything is removed, to measure freed images or to decide about them anew."""
    makes_images = redo is not None and STAGES.index(redo) <= STAGES.index("generate")
    if makes_images or not run.cleaned.exists() or _differs(run, "sample", wanted) or _differs(run, "generate", wanted):
        return  # other images are made, or refused for a better reason
    reasons = ["--redo measure"] if redo == "measure" else []
    for stage in ("measure", "select"):
        made_with = run.made_with(stage)
        told = wanted[stage].differences(made_with[1]) if made_with is not None else []
        reasons += [reason for reason in told if not reason.startswith(_FREE_TO_CHANGE)]
    if reasons:
        raise RunError(
            f"{run.root}: `synth clean` freed images of rejected candidates, which would be needed now: "
            f"{'; '.join(reasons)}; go back to what it was, use another --run-dir or --redo generate"
        )


def _differs(run: RunDirectory, stage: str, wanted: Mapping[str, Fingerprint]) -> bool:
    made_with = run.made_with(stage)
    return made_with is not None and made_with[0] != wanted[stage].digest


def _refuse_difference(run: RunDirectory, stage: str, wanted: Fingerprint) -> None:
    made_with = run.made_with(stage)
    if made_with is None or made_with[0] == wanted.digest:
        return
    if not run.shards(stage):
        run.discard(run.stage(stage))
        return
    reasons = wanted.differences(made_with[1]) or [f"a stage before {stage} was made again"]
    raise FingerprintError(
        f"{run.root}: {stage} was made with another configuration: {'; '.join(reasons)}; "
        f"use another --run-dir or --redo {stage}"
    )


def _refuse_fewer(run: RunDirectory, count: int) -> None:
    for shard in run.shards("sample"):
        held = ShardRecord.read(shard).task.stop
        if held > count:
            raise RunError(
                f"{run.root}: holds {held} identities, the configuration says identities.count={count}; "
                "the number can only be raised: use another --run-dir or --redo sample"
            )


def _refuse_fewer_rounds(run: RunDirectory, rounds: int) -> None:
    held = max((round_of(int(path.name)) + 1 for path in run.shards("generate")), default=1)
    if held > rounds:
        raise RunError(
            f"{run.root}: holds {held} rounds of candidates, the configuration says images.max_rounds={rounds}; "
            "the number can only be raised: use another --run-dir or --redo generate"
        )
