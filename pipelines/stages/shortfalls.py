"""Identities that end with fewer images than they should have, and why."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.stages.decisions import Decisions


def shortfalls(identities: npt.NDArray[np.int64], decisions: Decisions, quota: int) -> dict[str, npt.NDArray[Any]]:
    """Returns a row for each identity that has fewer kept candidates than the quota.

    Args:
        identities: int64 (B,), of the candidates, increasing.
        decisions: on the candidates.
        quota: images an identity should have.

    Returns:
        `identity`, `candidates`, `kept` and `missing`, int64 (N,), and `dropped_by`, strings (N,): what dropped most of
        the identity's candidates, of equals what comes first in the configuration.
    """
    names, starts, candidates = np.unique(identities, return_index=True, return_counts=True)
    reasons = decisions.reasons
    of_reason = np.stack([np.add.reduceat(decisions.dropped(reason).astype(np.int64), starts) for reason in reasons])
    kept = candidates - of_reason.sum(axis=0)
    short = np.flatnonzero(kept < quota)
    return {
        "identity": names[short],
        "candidates": candidates[short],
        "kept": kept[short],
        "missing": quota - kept[short],
        "dropped_by": np.array(reasons, dtype=object)[of_reason[:, short].argmax(axis=0)],
    }
