"""How work is cut into tasks and batches: pure functions of counts, so that no worker decides anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from synth.shards.manifest import Task

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def identity_tasks(count: int, identities_per_shard: int) -> list[Task]:
    """Returns tasks over ranges of identities; the last may be short."""
    starts = range(0, count, identities_per_shard)
    return [Task(number, start, min(start + identities_per_shard, count)) for number, start in enumerate(starts)]


def even_tasks(count: int, largest: int) -> list[Task]:
    """Returns the fewest tasks of at most `largest` items whose sizes differ by at most one."""
    number = -(-count // largest)
    edges = [count * k // number for k in range(number + 1)] if number else [0]
    return [Task(k, edges[k], edges[k + 1]) for k in range(number)]


def candidate_rows(start: int, stop: int, per_identity: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Returns identities and indices of all candidates of a range of identities, identity-major.

    Returns:
        int64 (B,) and int32 (B,), B = (stop - start) * per_identity.
    """
    import numpy as np

    identities = np.repeat(np.arange(start, stop, dtype=np.int64), per_identity)
    return identities, np.tile(np.arange(per_identity, dtype=np.int32), stop - start)


def slices(count: int, size: int) -> Iterator[slice]:
    """Yields consecutive slices of at most `size` rows."""
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


def sample_key(identity: int, index: int) -> str:
    """Returns the name of a candidate, like '00001234_0007'."""
    return f"{identity:08d}_{index:04d}"
