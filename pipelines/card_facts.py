"""Gathers from a finished run what its dataset card says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from filters.base import Filter
from pipelines.card import CardFacts, Quality
from pipelines.fingerprint import STAGES
from pipelines.licences import OTHER, strictest
from pipelines.reporting.run_tables import RunTables
from pipelines.reporting.similarities import similarity_pairs
from pipelines.run_directory import RunDirectory, require_shard
from pipelines.schema import RunConfig
from pipelines.weight_files import files_by_component
from synth import components
from synth.exporters.base import Exporter
from synth.shards.manifest import ShardRecord
from synth.shards.table import read_table
from synth.types import ALIGNED_SIZE

_FIELDS = {
    "identity": "number of the identity vector, 0..",
    "index": "number of the candidate within its identity",
    "label": "contiguous class number",
    "seed": "all randomness of the image follows from it and the vector",
}
_FIELDS_OF_METADATA = {"synthetic": "always true", "generator": "type of the generator"}


def card_facts(config: RunConfig, run: RunDirectory, exporter: Exporter, stages: Sequence[str] = STAGES) -> CardFacts:
    """Returns the facts about a dataset of a run.

    Args:
        config: makes this very dataset; its `export` section need not be the run's.
        run: its stages up to `select` are committed.
        exporter: of the dataset.
        stages: whose fingerprints stand in the card.
    """
    generator = components.resolve("generator", config.generator.type)
    recogniser = components.resolve("recogniser", config.recogniser.type)
    counts = ShardRecord.read(require_shard(run, "select", 0)).counts
    reasons = {name.removeprefix("dropped_by_"): n for name, n in counts.items() if name.startswith("dropped_by_")}
    weight_licenses = _weight_licenses(config)
    licence = strictest(_terms(config, generator.license, recogniser.license, weight_licenses))
    return CardFacts(
        name=run.root.resolve().name,
        license=licence.identifier,
        license_name=licence.name,
        license_url=licence.url,
        identities_requested=config.identities.count,
        images_generated=counts["candidates"],
        identities_kept=counts["identities"],
        images_kept=counts["kept"],
        dropped=reasons,
        image=_image(config, run),
        loading=exporter.loading(),
        metadata_place=exporter.metadata_place,
        sampler=config.identities.sampler.type,
        generator=config.generator.type,
        generator_license=generator.license,
        recogniser=config.recogniser.type,
        recogniser_license=recogniser.license,
        seed=config.seed,
        fingerprints={stage: run.stage_digest(stage) or "" for stage in stages},
        versions=run.read_run()["versions"],
        configuration=yaml.safe_dump(config.model_dump(mode="json", exclude_unset=True)),
        fields=_fields(config, generator, in_metadata=bool(exporter.metadata_place)),
        weight_licenses=weight_licenses,
        tags=exporter.tags,
        quality=_quality(run),
    )


def _image(config: RunConfig, run: RunDirectory) -> str:
    """Returns what an image is, with its size; that of generated ones is looked up in the first shard."""
    if config.export.crop == "aligned":
        return f"{ALIGNED_SIZE}x{ALIGNED_SIZE} px, aligned to the ArcFace template, JPEG"
    sizes = read_table(require_shard(run, "generate", 0) / "samples.parquet", ["width", "height"])
    return f"{sizes['width'][0]}x{sizes['height'][0]} px, as generated, {config.images.encoding.upper()}"


def _weight_licenses(config: RunConfig) -> dict[str, list[str]]:
    """Returns the licences of the weight files that each component read, each once and in their order.

    A file that two components read counts for both.
    """
    read = files_by_component(config)
    return {
        component: list(dict.fromkeys(file.license for file in files)) for component, files in read.items() if files
    }


def _terms(config: RunConfig, generator: str, recogniser: str, weights: Mapping[str, Sequence[str]]) -> list[str]:
    """Returns the terms of all parts: of generator, recogniser and each weight file.

    A component that reads weights may leave its terms to them; one that reads none must state its own.
    """
    generated = [] if generator == OTHER and f"generator {config.generator.type}" in weights else [generator]
    judged = [] if not recogniser and f"recogniser {config.recogniser.type}" in weights else [recogniser]
    return [*generated, *judged, *(licence for licences in weights.values() for licence in licences)]


def _fields(config: RunConfig, generator: Any, *, in_metadata: bool) -> dict[str, str]:  # noqa: ANN401
    """Returns the meaning of each field of the samples' metadata, or else of the tables, by their names there."""
    fields = _FIELDS | (_FIELDS_OF_METADATA if in_metadata else {})
    for name, section in zip(config.filter_names, config.filters, strict=True):
        component: type[Filter] = components.resolve("filter", section.type)
        fields[name] = f"filter; {component.unit}"
    for name, column in generator.truth.items():
        shown = name if in_metadata else f"truth_{name}"
        fields[shown] = "known to the generator" + (f"; {column.unit}" if column.unit else "")
    return fields


def _quality(run: RunDirectory) -> Quality | None:
    pairs = similarity_pairs(RunTables(run.root))
    if pairs is None:
        return None
    return Quality(
        num_genuine=len(pairs.genuine),
        num_impostor=len(pairs.impostor),
        genuine_mean=float(pairs.genuine.mean()),
        impostor_mean=float(pairs.impostor.mean()),
        equal_error_rate=pairs.error_rate,
    )
