"""Chooses separate vectors among many, exactly, with synth and with a plain numpy loop, and compares the two.

    python benchmarks/separation.py [--count 100000] [--dimension 512] [--max-similarity 0.3] [--block 2048]

The plain loop is what one writes without this package: every candidate of a block against all rows before it, one
matrix product a block, then the greedy choice row by row. Both must choose the same rows but for pairs within rounding
of the bound, which only synth decides exactly. Prints processor time of each and the peak memory of the process after
each; the last line is `separation_ratio <x>`, how many times less processor time synth takes.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from synth.samplers.gaussian import GaussianSampler
from synth.similarity import separate

Float32 = npt.NDArray[np.float32]


def plain_loop(vectors: Float32, max_similarity: float, block: int) -> npt.NDArray[np.bool_]:
    """Chooses greedily in row order, comparing each block with all rows before it and with itself."""
    kept = np.zeros(len(vectors), dtype=np.bool_)
    for start in range(0, len(vectors), block):
        rows = vectors[start : start + block]
        similarities = rows @ vectors[: start + len(rows)].T
        for i in range(len(rows)):
            before = similarities[i, : start + i]
            kept[start + i] = not (before[kept[: start + i]] > max_similarity).any()
    return kept


def planted(count: int, dimension: int, max_similarity: float) -> Float32:
    """Makes random directions, a tenth of which are replaced by near copies of others, just beyond the bound."""
    vectors = GaussianSampler(dimension=dimension).sample(count, seed=0)
    random = np.random.default_rng(0)
    copies = random.choice(count, count // 10, replace=False)
    sources = random.integers(0, count, len(copies))
    cosine = np.float32(max_similarity + 0.1)
    vectors[copies] = cosine * vectors[sources] + np.sqrt(1 - cosine**2) * vectors[copies]
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / lengths).astype(np.float32)


def timed(name: str, choose: Callable[[], npt.NDArray[np.bool_]]) -> tuple[npt.NDArray[np.bool_], float]:
    """Runs a choice; prints and returns its processor time, and prints the process's peak memory so far."""
    start = time.process_time()
    kept = choose()
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name:12} {seconds:8.1f} CPU s   kept {kept.sum():,}   peak memory so far {peak:,.0f} MB", flush=True)
    return kept, seconds


def main() -> None:
    """Runs the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--dimension", type=int, default=512)
    parser.add_argument("--max-similarity", type=float, default=0.3)
    parser.add_argument("--block", type=int, default=2048)
    arguments: Any = parser.parse_args()
    vectors = planted(arguments.count, arguments.dimension, arguments.max_similarity)
    print(f"{arguments.count:,} vectors of {arguments.dimension}, {vectors.nbytes / 1e6:,.0f} MB")
    bound, block = arguments.max_similarity, arguments.block
    ours, our_seconds = timed("synth", lambda: separate(vectors, bound, block=block))
    theirs, their_seconds = timed("plain numpy", lambda: plain_loop(vectors, bound, block))
    print(f"rows decided differently: {(ours != theirs).sum()}")
    print(f"separation_ratio {their_seconds / our_seconds:.2f}")


if __name__ == "__main__":
    main()
