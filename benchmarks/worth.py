"""What a rendered dataset is worth: `python benchmarks/worth.py lfw.bin [--data CONFIG] [--train CONFIG]`.

Makes the dataset, trains a recogniser on it and on nothing else, judges it on an insightface `.bin` of real faces, and
adds a line to benchmarks/worth.csv. What is there already is not made again, so a killed trial goes on, and several
trainings share a dataset. The baseline beside it compares the pixels themselves.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import yaml
from parts.unmeasured import unmeasured_dataset
from PIL import Image

from pipelines.fingerprint import STAGES
from pipelines.run_directory import RunDirectory
from synth.components import ComponentSpec, build
from synth.evaluation import DecodedPairs, Evaluation, decode_pairs, evaluate
from synth.shards.dataset import DatasetReader
from synth.similarity import unit
from synth.types import Embeddings, Images
from synth.verification_sets import read_bin

ROOT = Path(__file__).parents[1]
TABLE = Path(__file__).with_suffix(".csv")
PIXEL_SIDE = 28  # px, of the baseline's pictures


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A line of the table.

    Attributes:
        date: of the trial.
        commit: of the code and of the configurations that the line names; empty where git does not know.
        note: what was tried.
        data: configuration of the dataset, with what was changed in it.
        identities: that were kept.
        images: that were kept.
        rendered: images that were made for it.
        model: backbone and head.
        training: configuration of the training, with what was changed in it.
        steps: of the training.
        batch: images of a step.
        accuracy: on the pairs, mean over the folds.
        eer: equal error rate on the pairs.
        data_cpu_seconds: from nothing to the dataset.
        train_cpu_seconds: of the training.
    """

    date: str
    commit: str
    note: str
    data: str
    identities: int
    images: int
    rendered: int
    model: str
    training: str
    steps: int
    batch: int
    accuracy: float
    eer: float
    data_cpu_seconds: int
    train_cpu_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """A dataset and what it took.

    Attributes:
        folder: of the dataset.
        identities: in it.
        images: in it.
        rendered: images that were made for it.
        cpu_seconds: from nothing.
    """

    folder: Path
    identities: int
    images: int
    rendered: int
    cpu_seconds: float


def synth(*arguments: str) -> None:
    """Runs a command of synth to its end."""
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "pipelines", *arguments]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": paths}, check=True)


def commit() -> str:
    """Returns the short name of the commit that is checked out."""
    found = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    return found.stdout.strip()


def sets(overrides: list[str]) -> list[str]:
    """Returns command-line arguments for overrides."""
    return [argument for override in overrides for argument in ("--set", override)]


def made_data(arguments: argparse.Namespace) -> Data:
    """Makes the dataset, or goes on with it."""
    root = (arguments.data_dir or ROOT / "runs" / arguments.data.stem).resolve()
    command = ["run", str(arguments.data.resolve()), "--run-dir", str(root), *sets(arguments.set_data)]
    command += ["--workers", str(arguments.workers), "--devices", arguments.device]
    if arguments.unmeasured:
        command += ["--until", "generate"]
    synth(*command)
    run = RunDirectory(root)
    folder = unmeasured_dataset(run) if arguments.unmeasured else run.dataset
    reader = DatasetReader(folder)
    records = {stage: list(run.committed(stage).values()) for stage in STAGES}
    return Data(
        folder=folder,
        identities=reader.num_labels,
        images=len(reader),
        rendered=sum(record.counts["images"] for record in records["generate"]),
        cpu_seconds=sum(record.cpu_seconds for of_stage in records.values() for record in of_stage),
    )


def pixels(faces: Images) -> Embeddings:
    """Returns small grey pictures plus their mirror images, as embeddings: what costs no training at all."""
    small = [
        Image.fromarray(face).convert("L").resize((PIXEL_SIDE, PIXEL_SIDE), Image.Resampling.BOX) for face in faces
    ]
    grey = np.stack([np.asarray(picture, dtype=np.float32) for picture in small])
    flat = (grey + grey[:, :, ::-1]).reshape(len(grey), -1)
    return unit(flat - flat.mean(axis=1, keepdims=True))


def judged(name: str, pairs: DecodedPairs, found: Evaluation) -> str:
    """Returns a result in words."""
    return (
        f"{name}: accuracy {found.accuracy.mean:.4f} (sd {found.accuracy.standard_deviation:.4f} over folds), "
        f"EER {found.equal_error_rate:.4f}, {len(pairs.same)} pairs"
    )


def named(config: Path, overrides: list[str]) -> str:
    """Returns a configuration and what was changed in it."""
    return " ".join([config.name, *(override.replace(" ", "") for override in overrides)])


def append(trial: Trial) -> None:
    """Adds a line to the table."""
    is_new = not TABLE.exists()
    with TABLE.open("a", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Trial)], lineterminator="\n")
        if is_new:
            writer.writeheader()
        writer.writerow(asdict(trial))


def parse() -> argparse.Namespace:
    """Returns the arguments of the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bin", type=Path)
    parser.add_argument("--data", type=Path, default=ROOT / "configs/rendered_10k.yaml")
    parser.add_argument("--set-data", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--train", type=Path, default=ROOT / "configs/train_small.yaml")
    parser.add_argument("--set-train", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--data-dir", type=Path, help="run directory of the dataset; default: runs/<name of --data>")
    parser.add_argument("--train-dir", type=Path, help="folder of the training; default: runs/<name of --train>")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"), help="renders and trains")
    parser.add_argument("--unmeasured", action="store_true", help="keep all images; no detector, no recogniser")
    parser.add_argument("--note", default="", help="what is tried")
    parser.add_argument("--dry", action="store_true", help="leave the table as it is")
    return parser.parse_args()


def main() -> None:
    """Runs a trial."""
    arguments = parse()
    train_dir = (arguments.train_dir or ROOT / "runs" / arguments.train.stem).resolve()

    pairs = decode_pairs(read_bin(arguments.bin), str(arguments.bin))
    floor = evaluate(pixels, pairs)
    print(judged(f"pixels ({PIXEL_SIDE}x{PIXEL_SIDE} grey)", pairs, floor))

    data = made_data(arguments)
    overrides = [f"data.dataset={data.folder}", *arguments.set_train]
    # One thread: two that share a core take up to twice the CPU seconds for the same steps.
    where = ["--run-dir", str(train_dir), "--device", arguments.device, "--threads", "1"]
    readers = str(arguments.workers // 2 if arguments.device == "cuda" else 0)  # a GPU would wait for one process
    synth("train", str(arguments.train.resolve()), *where, "--workers", readers, *sets(overrides))
    lines = [json.loads(line) for line in (train_dir / "log.jsonl").read_text().splitlines()]
    train_seconds = sum(line["cpu_seconds"] for line in lines)

    options = {"weights": str(train_dir / "model.safetensors"), "device": arguments.device}
    recogniser = build(ComponentSpec("recogniser", "trained", options))
    found = evaluate(recogniser.embed, pairs)
    print(judged("trained on rendered faces alone", pairs, found))
    print(
        f"{data.rendered:,} images rendered, {data.images:,} of {data.identities:,} identities kept; "
        f"CPU minutes: data {data.cpu_seconds / 60:.1f}, training {train_seconds / 60:.1f}"
    )
    config = yaml.safe_load((train_dir / "train.json").read_text())["config"]
    trial = Trial(
        date=datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        commit=commit(),
        note=arguments.note,
        data=named(arguments.data, arguments.set_data) + " unmeasured" * arguments.unmeasured,
        identities=data.identities,
        images=data.images,
        rendered=data.rendered,
        model=f"{config['backbone']['type']} {config['head']['type']}",
        training=named(arguments.train, arguments.set_train),
        steps=config["recipe"]["steps"],
        batch=config["recipe"]["batch_size"],
        accuracy=round(found.accuracy.mean, 4),
        eer=round(found.equal_error_rate, 4),
        data_cpu_seconds=round(data.cpu_seconds),
        train_cpu_seconds=round(train_seconds),
    )
    if not arguments.dry:
        append(trial)
    print(f"accuracy {found.accuracy.mean:.4f} floor {floor.accuracy.mean:.4f}")


if __name__ == "__main__":
    main()
