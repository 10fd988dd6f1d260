"""Seeds and orders as pure functions of names, so that no result depends on who computes it or when."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt


def sample_seed(run_seed: int, stream: str, identity: int = 0, index: int = 0) -> int:
    """Returns the seed of one sample: 63 bits of BLAKE2b over the four values.

    Args:
        run_seed: the run's `seed`.
        stream: who asks, like 'generate'; streams never share numbers.
        identity: 0.. .
        index: 0.. within the identity.

    Returns:
        0 .. 2**63 - 1, the same on every machine and in every version.
    """
    text = f"{run_seed}/{stream}/{identity}/{index}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little") >> 1


def sample_seeds(
    run_seed: int, stream: str, identities: npt.NDArray[np.int64], indices: npt.NDArray[np.int32]
) -> npt.NDArray[np.uint64]:
    """Returns `sample_seed` of each row, uint64 (B,)."""
    pairs = zip(identities.tolist(), indices.tolist(), strict=True)
    return np.array([sample_seed(run_seed, stream, i, k) for i, k in pairs], dtype=np.uint64)


def hash_order(keys: Iterable[str], salt: str = "") -> npt.NDArray[np.int64]:
    """Returns the order that sorts keys by their BLAKE2b hash: a shuffle no library version can change.

    Args:
        keys: distinct names; none is held on to, so that millions cost 8 bytes each.
        salt: another salt gives another order.

    Returns:
        int64 (N,), positions among the N `keys`.
    """
    digests = (hashlib.blake2b(f"{salt}/{key}".encode(), digest_size=8).digest() for key in keys)
    numbers = np.fromiter(digests, dtype="S8").view("<u8")
    return np.argsort(numbers, kind="stable").astype(np.int64)
