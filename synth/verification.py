"""How well embeddings tell same from different: pairs, k-fold accuracy, error rates, and how sure one can be.

Scores are similarities: higher means 'same'. A pair is accepted where its score is at least the threshold.
FMR (false match rate) is the share of impostor pairs accepted, FNMR (false non-match rate) the share of genuine
pairs rejected; TAR = 1 - FNMR and FAR = FMR.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.floating[Any]]
Pairs = npt.NDArray[np.int64]  # (P, 2), rows of the embeddings, first < second

IMPOSTORS_PER_ALLOWED_ERROR = 10  # an FMR of 1/n is only reported from 10 n impostor pairs on


def genuine_pairs(labels: npt.NDArray[np.integer[Any]]) -> Pairs:
    """Returns all pairs of rows with the same label, int64 (P, 2), grouped by label."""
    parts = [np.empty((0, 2), dtype=np.int64)]
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        first, second = np.triu_indices(len(rows), k=1)
        parts.append(np.stack([rows[first], rows[second]], axis=1))
    return np.concatenate(parts)


def impostor_pairs(labels: npt.NDArray[np.integer[Any]], count: int | None = None, seed: int = 0) -> Pairs:
    """Returns pairs of rows with different labels.

    Args:
        labels: integer (N,).
        count: how many to draw, without repetition; None, or more than there are, returns all in row order.
        seed: of the draw.

    Returns:
        int64 (P, 2), sorted.
    """
    num_rows = len(labels)
    members = np.unique(labels, return_counts=True)[1].astype(np.int64)
    total = int(num_rows * (num_rows - 1) // 2 - (members * (members - 1) // 2).sum())
    if count is None or 2 * count >= total:
        first, second = np.triu_indices(num_rows, k=1)
        different = labels[first] != labels[second]
        pairs = np.stack([first[different], second[different]], axis=1).astype(np.int64)
        if count is None or count >= total:
            return pairs
        return pairs[np.sort(np.random.default_rng(seed).choice(total, count, replace=False))]
    return _draw_impostors(labels, count, np.random.default_rng(seed))


def _draw_impostors(labels: npt.NDArray[np.integer[Any]], count: int, random: np.random.Generator) -> Pairs:
    """Draws until there are enough distinct pairs; needs room: at most half of all pairs are asked for."""
    num_rows = len(labels)
    codes = np.empty(0, dtype=np.int64)
    while len(codes) < count:
        drawn = np.sort(random.integers(0, num_rows, (2 * (count - len(codes)) + 64, 2)), axis=1)
        drawn = drawn[labels[drawn[:, 0]] != labels[drawn[:, 1]]]
        together = np.concatenate([codes, drawn[:, 0] * num_rows + drawn[:, 1]])
        codes = together[np.sort(np.unique(together, return_index=True)[1])]
    chosen = np.sort(codes[:count])
    return np.stack([chosen // num_rows, chosen % num_rows], axis=1)


def pair_scores(embeddings: npt.NDArray[np.floating[Any]], pairs: Pairs, block: int = 65536) -> npt.NDArray[np.float64]:
    """Returns the dot product of each pair of rows, float64 (P,): the cosine, for embeddings of unit length."""
    wide = embeddings.astype(np.float64)
    parts = [
        np.einsum("pe,pe->p", wide[pairs[start : start + block, 0]], wide[pairs[start : start + block, 1]])
        for start in range(0, len(pairs), block)
    ]
    return np.concatenate([np.empty(0), *parts])


@dataclass(frozen=True, slots=True)
class FoldAccuracy:
    """Accuracy over held-out folds.

    Attributes:
        accuracies: float64 (folds,), 0..1.
        thresholds: float64 (folds,), similarity chosen on the other folds.
    """

    accuracies: npt.NDArray[np.float64]
    thresholds: npt.NDArray[np.float64]

    @property
    def mean(self) -> float:
        """Mean over the folds."""
        return float(self.accuracies.mean())

    @property
    def standard_deviation(self) -> float:
        """Over the folds, divided by their number (as insightface reports it)."""
        return float(self.accuracies.std())


def fold_numbers(count: int, folds: int) -> npt.NDArray[np.int64]:
    """Returns the fold of each pair, int64 (count,): consecutive pairs, as the order of the published lists intends."""
    parts = np.array_split(np.arange(count), folds)
    return np.repeat(np.arange(folds), [len(part) for part in parts])


def fold_accuracy(scores: Scores, same: npt.NDArray[np.bool_], folds: int | npt.NDArray[np.int64] = 10) -> FoldAccuracy:
    """Computes the accuracy of each fold at the best threshold of the other folds, the protocol of LFW (View 2).

    The threshold is exact: every distinct score is tried, by sums over the sorted scores, instead of a grid.

    Args:
        scores: float (P,), higher means same.
        same: bool (P,).
        folds: number of folds, which are consecutive pairs; or the fold of each pair, int64 (P,).

    Raises:
        ValueError: lengths differ or there are fewer pairs than folds.
    """
    numbers = fold_numbers(len(scores), folds) if isinstance(folds, int) else folds
    names = np.unique(numbers)
    wanted = folds if isinstance(folds, int) else len(names)
    if not len(scores) == len(same) == len(numbers) or len(names) < wanted or wanted < 2:
        raise ValueError(f"{len(scores)} scores and {len(same)} answers cannot make {wanted} folds")
    accuracies, thresholds = [], []
    for name in names:
        held_out, others = numbers == name, numbers != name
        threshold = best_threshold(scores[others], same[others])
        thresholds.append(threshold)
        accuracies.append(np.mean((scores[held_out] >= threshold) == same[held_out]))
    return FoldAccuracy(np.array(accuracies, dtype=np.float64), np.array(thresholds, dtype=np.float64))


def best_threshold(scores: Scores, same: npt.NDArray[np.bool_]) -> float:
    """Returns the threshold with the most right answers, halfway between two scores; the lowest of equally good ones.

    Infinite where it is best to accept or to reject all pairs.
    """
    order = np.argsort(scores, kind="stable")
    values, answers = scores[order].astype(np.float64), same[order]
    # right[k]: answers that are right when the k lowest scores are rejected
    right = np.concatenate([[0], np.cumsum(np.where(answers, -1, 1))]) + np.count_nonzero(same)
    cuts = np.concatenate([[0], np.flatnonzero(np.diff(values) > 0) + 1, [len(values)]])
    cut = int(cuts[np.argmax(right[cuts])])
    if cut == 0:
        return -np.inf
    if cut == len(values):
        return np.inf
    middle = (values[cut - 1] + values[cut]) / 2
    return float(middle if middle > values[cut - 1] else values[cut])


def error_rates(genuine: Scores, impostor: Scores) -> tuple[npt.NDArray[np.float64], ...]:
    """Returns thresholds, FMR and FNMR, float64 (T,) each: at every distinct score, and above all of them.

    Raises:
        ValueError: there are no genuine or no impostor pairs.
    """
    if not len(genuine) or not len(impostor):
        raise ValueError(f"{len(genuine)} genuine and {len(impostor)} impostor pairs: both are needed")
    thresholds = np.append(np.unique(np.concatenate([genuine, impostor]).astype(np.float64)), np.inf)
    accepted = len(impostor) - np.searchsorted(np.sort(impostor), thresholds, side="left")
    missed = np.searchsorted(np.sort(genuine), thresholds, side="left")
    return thresholds, accepted / len(impostor), missed / len(genuine)


def equal_error_rate(genuine: Scores, impostor: Scores) -> float:
    """Returns the rate at which FMR and FNMR are equal: the middle of the interval in which they cross, 0..1.

    Maio et al. (2002), FVC2000: of the two thresholds around the crossing, the one with the smaller sum of errors
    gives the interval.

    Raises:
        ValueError: there are no genuine or no impostor pairs.
    """
    _, fmr, fnmr = error_rates(genuine, impostor)
    above = int(np.argmax(fnmr >= fmr))  # the first threshold past the crossing; infinity always is
    below = int(np.flatnonzero(fnmr <= fmr)[-1])  # the first one, the lowest score, always is
    chosen = below if fnmr[below] + fmr[below] <= fnmr[above] + fmr[above] else above
    return float((fnmr[chosen] + fmr[chosen]) / 2)


def threshold_at_fmr(impostor: Scores, fmr: float) -> float:
    """Returns the lowest threshold that accepts at most a share `fmr` of the impostor pairs.

    It is the number just above the highest score that must be rejected, so of equal scores all or none are accepted.

    Raises:
        ValueError: there are fewer than 10 / fmr impostor pairs: the rate would rest on a handful of errors.
    """
    needed = int(np.ceil(IMPOSTORS_PER_ALLOWED_ERROR / fmr - 1e-9))
    if len(impostor) < needed:
        raise ValueError(f"an FMR of {fmr:g} takes {needed} impostor pairs, there are {len(impostor)}")
    num_rejected = len(impostor) - int(fmr * len(impostor) + 1e-9)
    if num_rejected == 0:
        return -np.inf
    highest = np.partition(impostor, num_rejected - 1)[num_rejected - 1]
    return float(np.nextafter(highest, highest.dtype.type(np.inf)))


def tar_at_far(genuine: Scores, impostor: Scores, far: float) -> float:
    """Returns the largest share of genuine pairs accepted while at most a share `far` of the impostors is.

    Raises:
        ValueError: there are no genuine pairs, or fewer than 10 / far impostor pairs.
    """
    if not len(genuine):
        raise ValueError("a TAR takes genuine pairs, there are none")
    return float(np.mean(genuine >= threshold_at_fmr(impostor, far)))


def fmr100(genuine: Scores, impostor: Scores) -> float:
    """Returns the lowest FNMR with FMR <= 1 %; ValueError with fewer than 1,000 impostor pairs."""
    return 1 - tar_at_far(genuine, impostor, 1e-2)


def fmr1000(genuine: Scores, impostor: Scores) -> float:
    """Returns the lowest FNMR with FMR <= 0.1 %; ValueError with fewer than 10,000 impostor pairs."""
    return 1 - tar_at_far(genuine, impostor, 1e-3)


def bootstrap_interval(
    labels: npt.NDArray[np.integer[Any]],
    genuine: tuple[Pairs, Scores],
    impostor: tuple[Pairs, Scores],
    statistic: Callable[[Scores, Scores], float],
    draws: int = 200,
    seed: int = 0,
    confidence: float = 0.95,
) -> tuple[float, float]:
    """Returns a percentile interval of a statistic by drawing identities with repetition.

    Pairs of one identity are not independent, so identities are drawn, not pairs: a pair counts as often as its
    identities were drawn (their product, for an impostor pair).

    Args:
        labels: integer (N,), identity of each row.
        genuine: pairs and their scores.
        impostor: pairs and their scores.
        statistic: of genuine and impostor scores, like `equal_error_rate`.
        draws: number of repetitions.
        seed: of the draws.
        confidence: 0..1.

    Returns:
        Lower and upper bound.
    """
    identities, codes = np.unique(labels, return_inverse=True)
    random = np.random.default_rng(seed)
    values: list[float] = []
    while len(values) < draws:
        times = np.bincount(random.integers(0, len(identities), len(identities)), minlength=len(identities))
        times_genuine = times[codes[genuine[0][:, 0]]]
        times_impostor = times[codes[impostor[0][:, 0]]] * times[codes[impostor[0][:, 1]]]
        if times_genuine.any() and times_impostor.any():
            drawn = np.repeat(genuine[1], times_genuine), np.repeat(impostor[1], times_impostor)
            values.append(statistic(*drawn))
    tail = (1 - confidence) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return float(low), float(high)
