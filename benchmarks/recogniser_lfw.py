"""Accuracy of the embedded recogniser on real faces: `python benchmarks/recogniser_lfw.py lfw.bin [--photos DIR]`.

Embeds the stored 112x112 crops of an insightface `.bin` as they are and reports the k-fold accuracy of its pairs.
With `--detect` the crops are detected and aligned again; with `--photos` faces are looked for in unaligned pictures.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from synth.images import decode_image
from synth.recognisers.yunet_sface import YunetSface
from synth.verification import FoldAccuracy, equal_error_rate, fold_accuracy
from synth.verification_sets import read_bin

BATCH = 64


def report_pairs(name: str, embeddings: npt.NDArray[np.float32], same: npt.NDArray[np.bool_]) -> FoldAccuracy:
    """Prints the figures of pairs whose embeddings, float32 (2 P, E), follow one another."""
    scores = np.einsum("pe,pe->p", embeddings[0::2], embeddings[1::2])
    result = fold_accuracy(scores, same)
    error = equal_error_rate(scores[same], scores[~same])
    print(
        f"{name}: {len(same)} pairs, accuracy {result.mean:.4f} (sd {result.standard_deviation:.4f} over 10 folds), "
        f"EER {error:.4f}, threshold {result.thresholds.mean():.3f}, "
        f"genuine {scores[same].mean():.3f}, impostor {scores[~same].mean():.3f}"
    )
    return result


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bin", type=Path)
    parser.add_argument("--photos", type=Path, help="folder with pictures, searched below it")
    parser.add_argument("--detect", action="store_true", help="also detect and align the crops again")
    arguments = parser.parse_args()

    recogniser = YunetSface()
    pairs = read_bin(arguments.bin)
    crops = np.stack([decode_image(image) for image in pairs.images])
    started = time.process_time()
    embeddings = recogniser.embed(crops)
    print(f"embedding: {(time.process_time() - started) / len(crops) * 1e3:.1f} CPU-ms an image")
    stored = report_pairs("stored crops", embeddings, pairs.same)
    if arguments.detect:
        started = time.process_time()
        faces = [recogniser.recognise(crops[start : start + BATCH]) for start in range(0, len(crops), BATCH)]
        found = np.concatenate([part.found for part in faces])
        print(f"detected again: {found.mean():.4f}, {(time.process_time() - started) / len(crops) * 1e3:.1f} CPU-ms")
        report_pairs("detected again", np.concatenate([part.embeddings for part in faces]), pairs.same)
    if arguments.photos:
        photos = sorted(path for path in arguments.photos.rglob("*") if path.suffix.lower() in (".jpg", ".png"))
        seen = [recogniser.recognise(decode_image(path.read_bytes())[None]).found[0] for path in photos]
        print(f"detected {sum(seen)} of {len(seen)}")
    print(f"accuracy {stored.mean:.4f}")


if __name__ == "__main__":
    main()
