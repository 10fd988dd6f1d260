"""Writes and reads the same samples with synth and with webdataset, and prints how many times faster synth is.

    python benchmarks/shard_io.py [--samples 8000] [--rounds 5]

Both sides write the same members (jpg, json, cls) and read one and the same tar file to a dict a sample. Rates are
samples per second of processor time of one process, the best of several interleaved rounds.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import webdataset

from synth.shards.tar import TarReader, TarWriter

Sample = dict[str, Any]


def make_samples(count: int, seed: int = 0) -> list[Sample]:
    """Makes samples of the size of real ones: about 6 kB of incompressible bytes, a few numbers, a label."""
    random = np.random.default_rng(seed)
    sizes = random.integers(5000, 7000, count)
    return [
        {
            "__key__": f"{i // 20:08d}_{i % 20:04d}",
            "jpg": b"\xff\xd8" + random.bytes(int(size)) + b"\xff\xd9",
            "json": b'{"identity": %d, "index": %d, "resolution": 201.5, "score": 0.9731, "synthetic": true}'
            % (i // 20, i % 20),
            "cls": b"%d" % (i // 20),
        }
        for i, size in enumerate(sizes)
    ]


def write_with_synth(path: Path, samples: Iterable[Sample]) -> None:
    """Writes with our writer."""
    with TarWriter(path) as tar:
        for sample in samples:
            for extension in ("jpg", "json", "cls"):
                tar.add(f"{sample['__key__']}.{extension}", sample[extension])


def write_with_webdataset(path: Path, samples: Iterable[Sample]) -> None:
    """Writes with webdataset's writer, as its documentation does; the bytes are given, so it encodes nothing."""
    with webdataset.TarWriter(str(path)) as tar:
        for sample in samples:
            tar.write(sample)


def read_with_synth(path: Path) -> Iterator[Sample]:
    """Reads with our reader."""
    with TarReader(path) as tar:
        yield from tar.samples()


def read_with_webdataset(path: Path) -> Iterator[Sample]:
    """Reads with webdataset, undecoded."""
    return iter(webdataset.WebDataset(str(path), shardshuffle=False))


def count_bytes(samples: Iterable[Sample]) -> int:
    """Goes through samples as a trainer does, keeping none; returns the bytes of their images."""
    return sum(len(sample["jpg"]) for sample in samples)


def cpu_seconds(work: Callable[[], Any]) -> float:
    """Returns the processor time that a call takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def check_same(ours: Iterable[Sample], theirs: Iterable[Sample], samples: list[Sample]) -> None:
    """Checks that both readers gave back what was written."""
    for mine, other, sample in zip(ours, theirs, samples, strict=True):
        if mine != sample or any(other[name] != value for name, value in sample.items()):
            raise SystemExit(f"the readers disagree about sample {sample['__key__']}")


def main() -> None:
    """Runs the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=8000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    samples = make_samples(arguments.samples)
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder) / "synth.tar", Path(folder) / "webdataset.tar"
        contenders: dict[str, Callable[[], Any]] = {
            "synth write": lambda: write_with_synth(ours, samples),
            "webdataset write": lambda: write_with_webdataset(theirs, samples),
            "synth read": lambda: count_bytes(read_with_synth(ours)),
            "webdataset read": lambda: count_bytes(read_with_webdataset(ours)),
        }
        best = dict.fromkeys(contenders, float("inf"))
        for _ in range(arguments.rounds):
            for name, work in contenders.items():
                best[name] = min(best[name], cpu_seconds(work))
        check_same(read_with_synth(ours), read_with_webdataset(ours), samples)
        check_same(read_with_synth(theirs), read_with_webdataset(theirs), samples)
        print(f"sizes: synth {ours.stat().st_size / 1e6:.1f} MB, webdataset {theirs.stat().st_size / 1e6:.1f} MB")
    for name, seconds in best.items():
        print(f"{name:17} {len(samples) / seconds:10,.0f} samples per CPU second")
    print(f"write_ratio {best['webdataset write'] / best['synth write']:.1f}")
    print(f"read_ratio {best['webdataset read'] / best['synth read']:.1f}")


if __name__ == "__main__":
    main()
