"""`synth train`: a recogniser out of an exported dataset."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState

from pipelines.folder_lock import folder_lock
from pipelines.training.folder import TrainingFolder, kept_judgement
from pipelines.training.page import write_page
from pipelines.training.schema import TrainConfig
from synth import components
from synth.digests import sha256_of
from synth.shards.dataset import DatasetReader
from synth.shards.object_store import ObjectFolder, is_url
from synth.training.feed import FaceFeed
from synth.training.model_file import ModelDescription
from synth.training.split import Part, split
from synth.training.trainer import MODEL, Judgement, Progress, Trainer
from synth.training.validation import Validation

_SEEDS = 1 << 20  # apart: of the parameters and of the orders
_DIGITS = 8  # of the hash in a space's name


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a training made.

    Attributes:
        model: path of the model file.
        steps: done in all.
        equal_error_rate: on the held-out identities, of the model that was kept; None where the log lacks it.
        is_new: whether there was anything to do.
        is_main: whether this process is the one that tells; others train beside it.
    """

    model: Path
    steps: int
    equal_error_rate: float | None
    is_new: bool
    is_main: bool


def train(
    config: TrainConfig,
    root: Path,
    *,
    device: str,
    threads: int | None = None,
    num_workers: int,
    watch: Callable[[dict[str, Any]], None],
) -> Outcome:
    """Trains in a folder, or goes on there.

    Args:
        config: checked.
        root: of the training; made if it is missing.
        device: 'cpu' or 'cuda'.
        threads: of the CPU that torch computes with; None takes all cores.
        num_workers: processes that read images ahead.
        watch: told of every line of the log.

    Raises:
        SynthError: the dataset, the folder or its checkpoint is wrong, or the loss is no number.
    """
    torch.set_num_threads(threads or len(os.sched_getaffinity(0)))
    processes = PartialState(cpu=device == "cpu")  # of `accelerate launch`; one without it
    folder = TrainingFolder(root)
    with _held(folder, processes.is_main_process):
        if is_url(config.data.dataset) and processes.is_main_process:
            ObjectFolder(config.data.dataset).fetch(config.data.folder)
        processes.wait_for_everyone()
        dataset = DatasetReader(config.data.folder)
        origin = {"config": config.model_dump(mode="json"), "dataset": _identity_of(dataset)}
        if processes.is_main_process:
            folder.begin(origin)
        processes.wait_for_everyone()
        trainer = _trainer(config, root, dataset, _space(root, origin), device, num_workers)
        is_new = trainer.step < config.recipe.steps
        if processes.is_main_process:
            folder.forget_after(trainer.step)
            _run_and_log(trainer, folder, watch)
            write_page(folder)
        else:
            trainer.run(_say_nothing, _say_nothing)
        processes.wait_for_everyone()
        kept = kept_judgement(folder.lines())
    rate = kept["equal_error_rate"] if kept else None
    return Outcome(root / MODEL, config.recipe.steps, rate, is_new, processes.is_main_process)


@contextmanager
def _held(folder: TrainingFolder, is_main: bool) -> Iterator[None]:
    """Holds the folder for the processes of one training; only the main one writes there."""
    if not is_main:
        yield
        return
    folder.root.mkdir(parents=True, exist_ok=True)
    with folder_lock(folder.root, "train.lock"):
        yield


def _trainer(
    config: TrainConfig, root: Path, dataset: DatasetReader, space: str, device: str, num_workers: int
) -> Trainer:
    training, held_out = split(
        dataset, config.data.held_out_identities, config.data.min_images_per_identity, config.seed
    )
    torch.manual_seed(config.seed + _SEEDS)
    backbone = components.build(config.backbone_spec)
    head = components.build(config.head_spec, num_labels=training.num_labels, embedding_size=backbone.embedding_size)
    return Trainer(
        backbone,
        head,
        functools.partial(_feed, config, dataset, training),
        Validation(dataset, held_out, config.seed),
        config.recipe,
        config.augmentation,
        root,
        _description(config, space, training, backbone.embedding_size),
        seed=config.seed,
        device=device,
        num_workers=num_workers,
    )


def _feed(
    config: TrainConfig, dataset: DatasetReader, part: Part, first_step: int, rank: int, num_ranks: int
) -> FaceFeed:
    return FaceFeed(
        dataset,
        config.recipe.batch_size,
        seed=config.seed,
        images_per_label=config.data.images_per_identity,
        first_step=first_step,
        rank=rank,
        num_ranks=num_ranks,
        rows=part.rows,
        labels=part.labels,
    )


def _run_and_log(trainer: Trainer, folder: TrainingFolder, watch: Callable[[dict[str, Any]], None]) -> None:
    last, last_cpu = time.monotonic(), time.process_time()
    with folder.log.open("a") as log:

        def note(what: Progress | Judgement) -> None:
            nonlocal last, last_cpu
            now, now_cpu = time.monotonic(), time.process_time()
            line = asdict(what) | {"seconds": round(now - last, 3), "cpu_seconds": round(now_cpu - last_cpu, 3)}
            last, last_cpu = now, now_cpu
            log.write(json.dumps(line) + "\n")
            log.flush()
            watch(line)

        trainer.run(note, note)


def _say_nothing(what: Progress | Judgement) -> None:
    """The main process tells for all."""


def _description(config: TrainConfig, space: str, training: Part, embedding_size: int) -> ModelDescription:
    facts = {
        "dataset": config.data.name,
        "identities": training.num_labels,
        "images": len(training.rows),
        "head": {"type": config.head.type, **config.head.options},
        "batch_size": config.recipe.batch_size,
    }
    return ModelDescription(config.backbone_spec, embedding_size, space, facts)


def _space(root: Path, origin: Mapping[str, Any]) -> str:
    """Names the embedding space: of another configuration or dataset in a folder of the same name it is another."""
    digest = hashlib.sha256(json.dumps(origin, sort_keys=True).encode()).hexdigest()
    return f"synth/{root.resolve().name}-{digest[:_DIGITS]}"


def _identity_of(dataset: DatasetReader) -> dict[str, Any]:
    """Returns what tells this dataset from another one in the same place."""
    index = dataset.folder / "index.json"
    return {
        "images": len(dataset),
        "identities": dataset.num_labels,
        "index": sha256_of(index) if index.is_file() else None,
    }
