"""How work is cut into tasks and batches: pure functions of counts, so that no worker decides anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, overload

from synth.shards.manifest import Task

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

MOST_SHARDS = 1_000_000  # of a round; those of later rounds are numbered from its multiples on


def identity_tasks(count: int, identities_per_shard: int, rounds: int = 1) -> list[Task]:
    """Returns tasks over ranges of identities, the last may be short; each round has one for each range."""
    starts = range(0, count, identities_per_shard)
    return [
        Task(number * MOST_SHARDS + shard, start, min(start + identities_per_shard, count))
        for number in range(rounds)
        for shard, start in enumerate(starts)
    ]


def round_of(shard: int) -> int:
    """Returns the round that a shard of `generate` or `measure` belongs to, 0.. ."""
    return shard // MOST_SHARDS


@overload
def in_round(shard: int, number: int) -> int: ...
@overload
def in_round(shard: npt.NDArray[np.int32], number: int) -> npt.NDArray[np.int32]: ...
def in_round(shard: int | npt.NDArray[np.int32], number: int) -> int | npt.NDArray[np.int32]:
    """Returns the shard, or shards, of another round that holds the same range of identities."""
    return number * MOST_SHARDS + shard % MOST_SHARDS


def even_tasks(count: int, largest: int) -> list[Task]:
    """Returns the fewest tasks of at most `largest` items whose sizes differ by at most one."""
    number = -(-count // largest)
    edges = [count * k // number for k in range(number + 1)] if number else [0]
    return [Task(k, edges[k], edges[k + 1]) for k in range(number)]


def candidate_rows(
    identities: npt.NDArray[np.int64], per_identity: int, number: int = 0
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Returns identities and indices of the candidates that some identities get in a round, identity-major.

    Args:
        identities: int64 (N,).
        per_identity: candidates of an identity in each round.
        number: of the round, 0..; its indices go on where the round before ended.

    Returns:
        int64 (B,) and int32 (B,), B = N * per_identity.
    """
    import numpy as np

    indices = np.arange(number * per_identity, (number + 1) * per_identity, dtype=np.int32)
    return np.repeat(identities, per_identity), np.tile(indices, len(identities))


def slices(count: int, size: int) -> Iterator[slice]:
    """Yields consecutive slices of at most `size` rows."""
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


def sample_key(identity: int, index: int) -> str:
    """Returns the name of a candidate, like '00001234_0007'."""
    return f"{identity:08d}_{index:04d}"
