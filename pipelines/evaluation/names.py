"""Who is in the images of a set of pairs: the `.bin` itself does not say."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt

from synth.errors import SynthError


def read_identities(path: Path, num_pairs: int) -> npt.NDArray[np.int64]:
    """Reads the identities of a set's images.

    Args:
        path: CSV with a row a pair, in the order of the set; its columns `image_a` and `image_b` name images as
            'identity/file'.
        num_pairs: of the set.

    Returns:
        int64 (2 num_pairs,), equal numbers for equal identities.

    Raises:
        SynthError: a column is missing, a name has no folder, or the number of rows is another.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SynthError(f"{path}: cannot be read as CSV ({error})") from error
    if len(rows) != num_pairs:
        raise SynthError(f"{path}: {len(rows)} rows, the set has {num_pairs} pairs; name the list of this set")
    names = []
    for line, row in enumerate(rows, start=2):
        for column in ("image_a", "image_b"):
            folder, slash, _ = (row.get(column) or "").rpartition("/")
            if not slash:
                raise SynthError(f"{path}:{line}: {column}: {row.get(column)!r}, expected identity/file")
            names.append(folder)
    return np.unique(names, return_inverse=True)[1].astype(np.int64)
