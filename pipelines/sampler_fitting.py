"""What `synth fit-sampler` does: a file of embeddings becomes a small file of statistics."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from synth.errors import ConfigError, VectorsError
from synth.vectors.blocks import vector_blocks
from synth.vectors.statistics import VectorStatistics, fit_statistics
from synth.vectors.statistics_files import check_suffix, write_statistics


def fit_sampler(
    embeddings: Path,
    out: Path,
    *,
    key: str | None = None,
    components: int | None = None,
    space: str | None = None,
    norm: Literal["unit", "raw"] = "unit",
) -> VectorStatistics:
    """Fits statistics to a file of embeddings and writes them.

    Args:
        embeddings: .npy, .npz, .safetensors or .parquet file of float vectors (N, D), read some rows at a time.
        out: .npz or .safetensors file to write; replaced if there is one.
        key: name of the array or list column in `embeddings`, where there are several.
        components: principal components to keep, 1..D; None: D.
        space: the recogniser's embedding space the vectors live in.
        norm: 'unit' scales each vector to length 1 first, 'raw' takes them as they are.

    Raises:
        VectorsError: the embeddings cannot be read, have no such number of components, or are too few for it.
        ConfigError: both paths are the same file.
    """
    check_suffix(out)
    if out.exists() and embeddings.exists() and out.samefile(embeddings):
        raise ConfigError(f"{out}: is the file of embeddings itself; write the statistics to another one")
    try:
        statistics = fit_statistics(
            vector_blocks(embeddings, key), components=components, norm=norm, space=space or None
        )
    except ValueError as error:
        raise VectorsError(f"{embeddings}: {error}") from error
    write_statistics(out, statistics)
    return statistics
