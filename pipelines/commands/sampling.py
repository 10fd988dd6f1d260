"""The command that fits a sampler."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Norm(StrEnum):
    """What a vector's length says: nothing, or something a generator reads."""

    UNIT = "unit"
    RAW = "raw"


def fit_sampler(
    embeddings: Annotated[Path, typer.Argument(help=".npy, .npz, .safetensors or .parquet file.", show_default=False)],
    out: Annotated[Path, typer.Argument(help=".npz or .safetensors file to write.", show_default=False)],
    key: Annotated[str | None, typer.Option(help="Array or column of EMBEDDINGS, where there are several.")] = None,
    components: Annotated[int | None, typer.Option(help="Principal components to keep; default: all.")] = None,
    space: Annotated[str | None, typer.Option(help="Embedding space of the vectors, like arcface_webface42m.")] = None,
    norm: Annotated[
        Norm, typer.Option(help="unit scales the vectors to length 1; raw keeps their lengths.")
    ] = Norm.UNIT,
) -> None:
    """Fits the sampler pca_gaussian: mean and principal components of EMBEDDINGS, none of them kept."""
    from pipelines.sampler_fitting import fit_sampler as fit

    found = fit(
        embeddings, out, key=key, components=components, space=space, norm="unit" if norm is Norm.UNIT else "raw"
    )
    kept, dimension = found.components.shape
    print(
        f"{out}: {kept} components of {found.count:,} vectors of {dimension}, {norm} norm, space {space or 'unknown'}"
    )
