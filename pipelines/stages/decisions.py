"""Who was dropped, and by what: the first reason counts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


class Decisions:
    """Decides on candidates, identity-major and by index within an identity.

    Attributes:
        kept: bool (B,), not dropped so far.
    """

    def __init__(self, identities: npt.NDArray[np.int64]) -> None:
        self.kept = np.ones(len(identities), dtype=np.bool_)
        self._identities = identities
        self._reasons: list[str] = [""]
        self._reason_of = np.zeros(len(identities), dtype=np.int32)

    @property
    def dropped_by(self) -> npt.NDArray[np.object_]:
        """The reason of each row, strings (B,); empty where kept."""
        return np.array(self._reasons, dtype=object)[self._reason_of]

    @property
    def reasons(self) -> list[str]:
        """What candidates may have been dropped by, in the order of the decisions."""
        return self._reasons[1:]

    def dropped(self, reason: str) -> npt.NDArray[np.bool_]:
        """Returns the rows that a reason dropped, bool (B,)."""
        rows: npt.NDArray[np.bool_] = self._reason_of == self._reasons.index(reason)
        return rows

    def drop(self, rows: npt.NDArray[np.bool_], reason: str) -> None:
        """Drops rows, bool (B,), that nothing dropped before."""
        newly = rows & self.kept
        self._reasons.append(reason)
        self._reason_of[newly] = len(self._reasons) - 1
        self.kept &= ~newly

    def keep_first(self, count: int, reason: str) -> None:
        """Drops all but the first `count` kept rows of each identity."""
        rows = np.flatnonzero(self.kept)
        _, starts, sizes = np.unique(self._identities[rows], return_index=True, return_counts=True)
        rank = np.arange(len(rows)) - np.repeat(starts, sizes)
        surplus = np.zeros_like(self.kept)
        surplus[rows[rank >= count]] = True
        self.drop(surplus, reason)

    def keep_identities_of(self, count: int, reason: str) -> None:
        """Drops the identities that have fewer than `count` kept rows."""
        names, sizes = np.unique(self._identities[self.kept], return_counts=True)
        self.drop(np.isin(self._identities, names[sizes < count]), reason)

    def labels(self) -> npt.NDArray[np.int64]:
        """Returns contiguous labels in identity order, int64 (B,); -1 where dropped."""
        labels = np.full(len(self.kept), -1, dtype=np.int64)
        _, labels[self.kept] = np.unique(self._identities[self.kept], return_inverse=True)
        return labels

    def drops(self) -> dict[str, int]:
        """Returns how many rows each reason dropped, as 'dropped_by_<reason>'."""
        counts = np.bincount(self._reason_of, minlength=len(self._reasons))
        return {f"dropped_by_{reason}": int(counts[k]) for k, reason in enumerate(self._reasons) if k}
