"""What all tests share."""

import os
import warnings

import pytest

# As on the command line: sums must not depend on the number of cores, and test processes share them.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Loads with `datasets`, offline and with a cache of its own; images come encoded, as bytes or a path."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own imports may warn about each other
        import datasets
    datasets.disable_progress_bars()

    def from_folder(path, streaming=False, **options):
        rows = datasets.load_dataset(
            path, split="train", streaming=streaming, cache_dir=str(tmp_path / "cache"), **options
        )
        for name, kind in rows.features.items():
            if isinstance(kind, datasets.Image):
                rows = rows.cast_column(name, datasets.Image(decode=False))
        return rows

    return from_folder
