"""`synth evaluate`: recognisers side by side on sets of pairs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.evaluation.models import Model
from pipelines.evaluation.names import read_identities
from pipelines.evaluation.page import write_page
from synth import components
from synth.errors import ConfigError, SynthError
from synth.evaluation import DecodedPairs, Evaluation, decode_pairs, evaluate
from synth.recognisers.base import Recogniser
from synth.shards.commit import replace_file
from synth.verification_sets import read_bin


@dataclass(frozen=True, slots=True)
class PairSet:
    """A set of pairs, ready to be judged on.

    Attributes:
        name: for tables: the stem of its file, or the path where several files have that stem.
        pairs: decoded.
        identities: int64 (2 P,), who is in each image; None where it is not known.
    """

    name: str
    pairs: DecodedPairs
    identities: npt.NDArray[np.int64] | None


@dataclass(frozen=True, slots=True)
class Result:
    """One recogniser on one set."""

    model: Model
    pair_set: PairSet
    evaluation: Evaluation


def read_sets(paths: Sequence[Path], names: Sequence[Path]) -> list[PairSet]:
    """Reads sets of pairs.

    Args:
        paths: `.bin` files.
        names: CSV files that say who is in their images, one for each; or none.

    Raises:
        ConfigError: there are some names, and not as many as sets.
        SynthError: a file cannot be read, or too many of its pairs cannot be decoded.
    """
    if names and len(names) != len(paths):
        raise ConfigError(f"--names: {len(names)} files for {len(paths)} sets; give one for each, in their order")
    stems = [path.stem for path in paths]
    return [
        _read(path, path.stem if stems.count(path.stem) == 1 else str(path), names[number] if names else None)
        for number, path in enumerate(paths)
    ]


def evaluate_all(models: Sequence[Model], sets: Sequence[PairSet], device: str, out: Path | None) -> list[Result]:
    """Judges every model on every set.

    Args:
        models: to be judged.
        sets: read.
        device: like 'cpu' or 'cuda:0'.
        out: folder for evaluation.json and index.html; None writes nothing.

    Raises:
        SynthError: a model cannot be built, or a set has one kind of pairs only.
    """
    results = []
    recognisers: list[Recogniser] = [components.build(model.spec, device) for model in models]  # all, before any works
    for model, recogniser in zip(models, recognisers, strict=True):
        for pair_set in sets:
            try:
                found = evaluate(recogniser.embed, pair_set.pairs, pair_set.identities)
            except SynthError as error:
                raise type(error)(f"{pair_set.name}: {model.name}: {error}") from error
            results.append(Result(model, pair_set, found))
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        content = [_as_json(result) for result in results]
        replace_file(out / "evaluation.json", (json.dumps(content, indent=1) + "\n").encode())
        write_page(out / "index.html", results, sets)
    return results


def table(results: Sequence[Result]) -> list[str]:
    """Returns lines of text: a header and a row for each result."""
    rows = [("model", "set", "pairs", "accuracy", "over folds", "EER", "TAR@FAR 1e-2", "TAR@FAR 1e-3")]
    for result in results:
        found = result.evaluation
        rows.append(
            (
                result.model.name,
                result.pair_set.name,
                str(found.num_genuine + found.num_impostor),
                f"{found.accuracy.mean:.4f}",
                f"sd {found.accuracy.standard_deviation:.4f}",
                f"{found.equal_error_rate:.4f}",
                in_words(found.tars[1e-2]),
                in_words(found.tars[1e-3]),
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def in_words(rate: float | None) -> str:
    """Returns a rate, or why there is none."""
    return "too few impostors" if rate is None else f"{rate:.4f}"


def _read(path: Path, name: str, names: Path | None) -> PairSet:
    found = read_bin(path)
    pairs = decode_pairs(found, str(path))
    if names is None:
        return PairSet(name, pairs, None)
    places = np.stack([2 * pairs.rows, 2 * pairs.rows + 1], axis=1).ravel()
    return PairSet(name, pairs, read_identities(names, len(found.same))[places])


def _as_json(result: Result) -> dict[str, Any]:
    found = result.evaluation
    folds = len(found.accuracy.accuracies)
    return {
        "model": result.model.name,
        "recogniser": {"type": result.model.spec.type, **result.model.spec.options},
        "set": result.pair_set.name,
        "genuine": found.num_genuine,
        "impostor": found.num_impostor,
        "unreadable": list(result.pair_set.pairs.unreadable),
        "folds_balanced": found.balanced,
        "accuracy": found.accuracy.mean,
        "accuracy_sd_over_folds": found.accuracy.standard_deviation,
        "accuracy_standard_error": float(found.accuracy.accuracies.std(ddof=1) / np.sqrt(folds)),
        "accuracy_interval_over_identities": found.accuracy_interval,
        "thresholds": found.accuracy.thresholds.tolist(),
        "equal_error_rate": found.equal_error_rate,
        "equal_error_rate_interval_over_identities": found.error_interval,
        "tar_at_far": {f"{far:g}": rate for far, rate in found.tars.items()},
        "fmr100": None if found.tars[1e-2] is None else 1 - found.tars[1e-2],
        "fmr1000": None if found.tars[1e-3] is None else 1 - found.tars[1e-3],
        "separation": found.separation,
    }
