"""What a real recogniser makes of rendered faces: `python benchmarks/rendered_verification.py [--workers 2]`.

Renders identities, encodes and decodes the pictures as JPEG (quality 95), and lets YuNet and SFace judge them:
how many are found, how alike samples of one identity and of different ones are, and whether similar vectors give
similar faces. Everything follows from `--seed`.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from synth.components import ComponentSpec, build
from synth.generators.base import Generator
from synth.images import decode_image, encode_jpeg
from synth.recognisers.yunet_sface import YunetSface
from synth.seeding import sample_seeds
from synth.similarity import unit
from synth.verification import (
    bootstrap_interval,
    equal_error_rate,
    genuine_pairs,
    impostor_pairs,
    pair_scores,
    tar_at_far,
)

COSINES = (1.0, 0.995, 0.98, 0.94, 0.88, 0.73, 0.54, 0.0)
NEAR = 0.02  # how far the similarity at cosine 0.995 may be from the one at cosine 1
ACCESSORIES = ("glasses", "sunglasses", "hat", "mask", "occluder")
KEPT_TRUTH = ("yaw", *ACCESSORIES)

Columns = dict[str, npt.NDArray[Any]]
Job = tuple[npt.NDArray[np.float32], npt.NDArray[np.uint64], int, str]  # vectors, seeds, size, framing


@functools.cache
def generator(size: int, framing: str) -> Generator:
    """Builds the generator once a process."""
    built: Generator = build(ComponentSpec("generator", "rendered", {"size": size, "framing": framing}))
    return built


@functools.cache
def recogniser() -> YunetSface:
    """Loads the recogniser once a process."""
    return YunetSface()


def judge(job: Job) -> Columns:
    """Renders and judges one batch; returns a column per measurement, and the CPU time as `seconds`."""
    vectors, seeds, size, framing = job
    started = time.process_time()
    made = generator(size, framing).generate(vectors, np.arange(len(seeds), dtype=np.int32), seeds)
    rendered = time.process_time()
    images = np.stack([decode_image(encode_jpeg(image)) for image in made.images])
    faces = recogniser().recognise(images)
    columns: Columns = {name: made.truth[name] for name in KEPT_TRUTH}
    return columns | {
        "image": images,
        "found": faces.found,
        "embedding": faces.embeddings,
        "render_seconds": np.full(len(seeds), (rendered - started) / len(seeds)),
        "judge_seconds": np.full(len(seeds), (time.process_time() - rendered) / len(seeds)),
    }


def judge_all(jobs: Sequence[Job], workers: int) -> Columns:
    """Judges all batches, in order, and joins their columns."""
    if workers == 1:
        parts = [judge(job) for job in jobs]
    else:
        with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
            parts = list(pool.map(judge, jobs))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def identity_jobs(
    vectors: npt.NDArray[np.float32], images: int, stream: str, arguments: argparse.Namespace
) -> Iterator[Job]:
    """Yields one batch an identity; seeds follow from the stream and the identity's number."""
    for number, vector in enumerate(vectors):
        indices = np.arange(images, dtype=np.int32)
        seeds = sample_seeds(arguments.seed, stream, np.full(images, number, dtype=np.int64), indices)
        yield np.repeat(vector[None], images, axis=0), seeds, arguments.size, arguments.framing


def report_pictures(columns: Columns) -> float:
    """Prints what the pictures show; returns the share found among faces that should be."""
    yaw, found = columns["yaw"], columns["found"]
    easy = ~columns["mask"] & ~columns["occluder"] & (np.abs(yaw) < 45)
    detection = float(found[easy].mean())
    print(f"pictures {len(found)}, found {found.mean():.4f}; no mask or occluder and |yaw| < 45: {detection:.4f}")
    print(f"yaw sd {yaw.std():.1f} degrees, |yaw| >= 45: {np.mean(np.abs(yaw) >= 45):.3f}")
    print("rates: " + ", ".join(f"{name} {columns[name].mean():.3f}" for name in ACCESSORIES))
    for name in ACCESSORIES:
        if columns[name].any():
            print(f"found with {name}: {found[columns[name]].mean():.3f}")
    cost = [1 / columns[name].mean() for name in ("render_seconds", "judge_seconds")]
    print(f"pictures a CPU-second: {cost[0]:.2f} rendered, {cost[1]:.1f} judged")
    return detection


def report_pairs(embeddings: npt.NDArray[np.float32], labels: npt.NDArray[np.int64]) -> tuple[float, float, float]:
    """Prints the error rates of found faces; returns mean genuine and impostor similarity and the equal error rate."""
    genuine, impostor = genuine_pairs(labels), impostor_pairs(labels)
    alike, unlike = pair_scores(embeddings, genuine), pair_scores(embeddings, impostor)
    error = equal_error_rate(alike, unlike)
    low, high = bootstrap_interval(labels, (genuine, alike), (impostor, unlike), equal_error_rate, draws=100)
    print(f"genuine {alike.mean():.3f} (sd {alike.std():.3f}), {len(alike)} pairs")
    print(f"impostor {unlike.mean():.3f} (sd {unlike.std():.3f}), {len(unlike)} pairs")
    print(f"EER {error:.4f}, 95 % over identities {low:.4f} .. {high:.4f}")
    try:
        print(f"TAR at FAR 1e-3: {tar_at_far(alike, unlike, 1e-3):.3f}")
    except ValueError as refusal:
        print(f"TAR at FAR 1e-3: not reported, {refusal}")
    return float(alike.mean()), float(unlike.mean()), error


def neighbours(vectors: npt.NDArray[np.float32], cosine: float, seed: int) -> npt.NDArray[np.float32]:
    """Returns unit vectors at a given cosine to each row; the direction of the step is the same for every cosine."""
    step = np.random.default_rng(seed).standard_normal(vectors.shape)
    step -= (step * vectors).sum(axis=1, keepdims=True) * vectors
    return unit(cosine * vectors + np.sqrt(1 - cosine**2) * unit(step))


def report_continuity(vectors: npt.NDArray[np.float32], arguments: argparse.Namespace) -> None:
    """Prints the mean similarity between faces of vectors at several cosines.

    Each identity has one set of sample seeds for its own pictures and another one for those of all its neighbours.
    """
    count, images = len(vectors), arguments.continuity_images
    jobs = list(identity_jobs(vectors, images, "continuity/own", arguments))
    for cosine in COSINES:
        near = neighbours(vectors, cosine, arguments.seed + 1)
        jobs += identity_jobs(near, images, "continuity/near", arguments)
    columns = judge_all(jobs, arguments.workers)
    shape = (1 + len(COSINES), count, images)
    embeddings, found = columns["embedding"].reshape(*shape, -1).astype(np.float64), columns["found"].reshape(shape)
    print(f"cosine of vectors -> similarity of faces ({count} identities, {images} x {images} pairs each)")
    means = []
    for row, cosine in enumerate(COSINES, start=1):
        scores = np.einsum("nie,nje->nij", embeddings[0], embeddings[row])
        both = found[0][:, :, None] & found[row][:, None, :]
        means.append(float(scores[both].mean()))
        print(f"  {cosine:5.3f} -> {means[-1]:.3f}")
    print(f"monotone: {all(a >= b for a, b in itertools.pairwise(means))}")
    print(f"0.995 within {NEAR} of the same vector: {abs(means[0] - means[1]) <= NEAR} ({means[1] - means[0]:+.4f})")


def write_sheet(path: Path, images: npt.NDArray[np.uint8], per_identity: int, rows: int = 16) -> None:
    """Writes a contact sheet with one identity a row."""
    shown = images[: rows * per_identity].reshape(-1, per_identity, *images.shape[1:])
    Image.fromarray(np.concatenate(np.concatenate(shown, axis=1), axis=1)).save(path)


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--identities", type=int, default=200)
    parser.add_argument("--images", type=int, default=10)
    parser.add_argument("--size", type=int, default=112)
    parser.add_argument("--framing", default="aligned")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--continuity-identities", type=int, default=12, help="0 leaves the table out")
    parser.add_argument("--continuity-images", type=int, default=6)
    parser.add_argument("--sheet", type=Path, help="write a contact sheet to this picture file")
    arguments = parser.parse_args()

    sampler = build(ComponentSpec("sampler", "gaussian"))
    vectors = sampler.sample(arguments.identities, arguments.seed)
    columns = judge_all(list(identity_jobs(vectors, arguments.images, "generate", arguments)), arguments.workers)
    if arguments.sheet:
        write_sheet(arguments.sheet, columns["image"], arguments.images)
    detection = report_pictures(columns)
    labels = np.repeat(np.arange(arguments.identities), arguments.images)[columns["found"]]
    genuine, impostor, error = report_pairs(columns["embedding"][columns["found"]], labels)
    if arguments.continuity_identities:
        report_continuity(sampler.sample(arguments.continuity_identities, arguments.seed + 1), arguments)
    print(f"genuine {genuine:.4f}")
    print(f"impostor {impostor:.4f}")
    print(f"detection {detection:.4f}")
    print(f"eer {error:.4f}")


if __name__ == "__main__":
    main()
