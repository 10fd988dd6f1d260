"""The choice of separate vectors on a torch device: the same one as `synth.similarity.separate` makes in numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from synth.errors import DeviceMemoryError
from synth.similarity import exceeds, rounding_error, unit

_COLUMNS = 16_384  # kept rows that a block is compared with at once


def separate_on(
    device: torch.device,
    vectors: npt.NDArray[np.floating[Any]],
    max_similarity: float,
    block: int = 2048,
    num_settled: int = 0,
) -> npt.NDArray[np.bool_]:
    """Chooses vectors no two of which are more similar than a bound: greedy, in row order.

    Only pairs within rounding error of the bound come back to the host, where exact sums decide them: the choice is
    the one of `synth.similarity.separate`, which also describes the arguments.

    Args:
        device: as `synth.torch_runtime.prepare` returns it; all vectors have to fit its memory.
        vectors: float (N, D).
        max_similarity: cosine, -1..1, that still passes.
        block: rows that are compared with 16,384 others at once.
        num_settled: so many rows at the start were chosen before.

    Returns:
        bool (N,), True where kept.

    Raises:
        DeviceMemoryError: the vectors do not fit the device.
    """
    directions = unit(vectors)
    kept = np.zeros(len(directions), dtype=np.bool_)
    kept[:num_settled] = True
    try:
        chooser = _Chooser(directions, torch.from_numpy(directions).to(device, copy=True), max_similarity, num_settled)
        for start in range(num_settled, len(directions), block):
            rows = slice(start, min(start + block, len(directions)))
            kept[rows] = chooser.choose(rows)
    except torch.OutOfMemoryError as error:
        raise DeviceMemoryError(
            f"{len(directions)} vectors of {directions.shape[1]} do not fit the device's memory while they are "
            f"compared ({error}); give the sampler `device: cpu`"
        ) from error
    return kept


class _Chooser:
    """Decides one block of rows after another.

    Attributes:
        directions: float32 (N, D), on the host.
        on_device: the same; its first rows are overwritten by the kept ones, which are never more than were decided.
        bound: largest cosine that passes.
        margin: rounding error of a cosine computed on the device.
        kept: rows kept so far, in order.
    """

    def __init__(self, directions: npt.NDArray[np.float32], on_device: Tensor, bound: float, num_settled: int) -> None:
        self.directions = directions
        self.on_device = on_device
        self.bound = bound
        self.margin = rounding_error(directions.shape[1])
        self.kept = list(range(num_settled))

    def choose(self, rows: slice) -> npt.NDArray[np.bool_]:
        """Returns which rows of a block are kept, bool (block,)."""
        members = self.on_device[rows].clone()
        alive = self._allowed(rows, members)
        chosen = self._greedy(rows, members, alive)
        fresh = np.flatnonzero(chosen)
        end = len(self.kept) + len(fresh)
        self.on_device[len(self.kept) : end] = members[torch.from_numpy(fresh).to(members.device)]
        self.kept.extend((fresh + rows.start).tolist())
        return chosen

    def _allowed(self, rows: slice, members: Tensor) -> npt.NDArray[np.bool_]:
        """Returns which rows keep their distance from all rows kept before."""
        largest = torch.full((len(members),), -torch.inf, device=members.device)
        for other in range(0, len(self.kept), _COLUMNS):
            before = self.on_device[other : min(other + _COLUMNS, len(self.kept))]
            largest = torch.maximum(largest, (members @ before.T).amax(dim=1))
        highest = largest.cpu().numpy().astype(np.float64)
        alive: npt.NDArray[np.bool_] = highest <= self.bound + self.margin
        for row in np.flatnonzero(alive & (highest >= self.bound - self.margin)):
            similarities = self.on_device[: len(self.kept)] @ members[row]
            close = torch.nonzero(similarities >= self.bound - self.margin)[:, 0].tolist()
            alive[row] = not any(self._exceeds(rows.start + row, self.kept[k]) for k in close)
        return alive

    def _greedy(self, rows: slice, members: Tensor, alive: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Returns which of the rows that `_allowed` left are kept beside each other."""
        similarities = members @ members.T
        above = torch.ones_like(similarities, dtype=torch.bool).triu_(diagonal=1)
        pairs = torch.nonzero(above & (similarities >= self.bound - self.margin))
        is_sure = (similarities[pairs[:, 0], pairs[:, 1]] > self.bound + self.margin).cpu().numpy()
        first, second = pairs.cpu().numpy().T
        kept = alive.copy()
        ends = np.searchsorted(first, np.arange(len(members) + 1))  # nonzero lists pairs by their first row
        for row in np.unique(first):
            if not kept[row]:
                continue
            mine = slice(ends[row], ends[row + 1])
            kept[second[mine][is_sure[mine]]] = False
            for other in second[mine][~is_sure[mine]]:
                kept[other] = kept[other] and not self._exceeds(rows.start + row, rows.start + other)
        return kept

    def _exceeds(self, first: int, second: int) -> bool:
        return exceeds(self.directions[first], self.directions[second], self.bound)
