"""Finds values that are fine alone and impossible together."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from pipelines.plan import MOST_SHARDS
from pipelines.schema import RunConfig
from pipelines.weight_files import files_of
from synth import components
from synth.components import ComponentSpec
from synth.errors import ComponentError, SynthError, VectorsError
from synth.generators.base import Generator
from synth.samplers.base import IdentitySampler
from synth.spaces import SPACES, named

# Names that are taken in the metadata of a sample and beside them, and in the tables where filters have columns.
METADATA = frozenset({"identity", "index", "label", "seed", "synthetic", "generator", "key", "image"})
COLUMNS = METADATA | frozenset(
    {
        *("source_shard", "kept", "dropped_by", "found", "score", "num_faces", "box", "landmarks", "embedding"),
        *("width", "height", "tar_offset", "tar_size", "aligned_offset", "aligned_size"),
    }
)

Mistake = tuple[tuple[str | int, ...], str]


def impossible_combinations(config: RunConfig, *, complete: bool) -> list[Mistake]:
    """Returns path and message of each contradiction.

    Args:
        config: keys and types are right.
        complete: components are right as well, so that they can be compared with each other.
    """
    found = [*_shards(config), *_selection(config), *_filters(config), *_export(config)]
    if complete:
        found += [*_balanced_column(config), *_spaces(config)]
    return found


def _shards(config: RunConfig) -> Iterator[Mistake]:
    """Finds plans of more shards than six digits can name; one of billions would not even fit into memory."""
    identities, candidates = config.identities.count, config.images.per_identity
    kept = identities * (config.selection.images_per_identity or candidates)
    for path, items, size in (
        (("images", "identities_per_shard"), identities, config.images.identities_per_shard),
        (("export", "shard_size"), kept, config.export.shard_size),
    ):
        number = -(-items // size)
        if number > MOST_SHARDS:
            yield path, f"{size} makes {number} shards, at most {MOST_SHARDS}; raise it, or lower identities.count"


def _selection(config: RunConfig) -> Iterator[Mistake]:
    wanted = config.selection.images_per_identity
    needed = config.selection.min_images_per_identity
    candidates = config.images.per_identity * config.images.max_rounds
    made_by = "images.per_identity" + " * images.max_rounds" * (config.images.max_rounds > 1)
    if wanted is not None and wanted > candidates:
        message = f"{wanted} are more than the {candidates} of {made_by}"
        yield ("selection", "images_per_identity"), message
    if needed > (wanted or candidates):
        limit = made_by if wanted is None else "selection.images_per_identity"
        message = f"{needed} are more than the {wanted or candidates} of {limit}; every identity would be dropped"
        yield ("selection", "min_images_per_identity"), message
    cluster = config.selection.main_cluster
    if cluster is not None and cluster.min_samples > candidates:
        message = f"{cluster.min_samples} are more than the {candidates} of images.per_identity; all would be dropped"
        yield ("selection", "main_cluster", "min_samples"), message
    if config.selection.twin_to_drop == "smaller" and config.selection.max_inter_class_similarity is None:
        yield ("selection", "twin_to_drop"), "says which of two too similar identities goes; set a bound on it"
    yield from _balance(config)


def _balance(config: RunConfig) -> Iterator[Mistake]:
    balance = config.selection.balance
    if balance is None:
        return
    if (balance.max_identities is None) == (balance.max_share is None):
        yield ("selection", "balance"), "needs one limit, max_identities or max_share"
    if any(low >= high for low, high in pairwise(balance.edges)):
        yield ("selection", "balance", "edges"), "must increase, like [20, 40, 60]"


def _balanced_column(config: RunConfig) -> Iterator[Mistake]:
    """Looks up the column that is balanced in what the generator knows."""
    balance = config.selection.balance
    if balance is None:
        return
    truth = components.resolve("generator", config.generator.type).truth
    known = {f"truth_{name}": column for name, column in truth.items() if column.width == 1}
    path = ("selection", "balance", "column")
    if balance.column not in known:
        yield path, f"{config.generator.type} knows no '{balance.column}', but {', '.join(known) or 'nothing'}"
    elif known[balance.column].dtype.startswith("float") and not balance.edges:
        yield path, f"'{balance.column}' holds measurements; cut them into kinds with `edges`"
    elif known[balance.column].dtype == "str" and balance.edges:
        yield ("selection", "balance", "edges"), f"'{balance.column}' holds names, which have no edges; remove them"


def _filters(config: RunConfig) -> Iterator[Mistake]:
    seen: dict[str, int] = {}
    for position, section in enumerate(config.filters):
        name = config.filter_names[position]
        if name in seen:
            yield ("filters", position, "type"), f"'{name}' is already filter {seen[name]}; give it both bounds there"
        if name in COLUMNS:
            yield (
                ("filters", position, "type"),
                f"'{name}' is a column of our tables; rename the filter's file or class",
            )
        seen.setdefault(name, position)
        if section.min is not None and section.max is not None and section.min > section.max:
            yield ("filters", position, "min"), f"{section.min:g} > max {section.max:g}: nothing could pass"


def _export(config: RunConfig) -> Iterator[Mistake]:
    if config.images.encoding == "png" and "quality" in config.images.model_fields_set:
        yield ("images", "quality"), "PNG has no quality; remove it or use `encoding: jpeg`"


def _spaces(config: RunConfig) -> Iterator[Mistake]:
    """Compares the vectors' size, norm and space with what the generator and the filters need.

    Samplers are numpy over at most one file, so building one here is cheap; the classes of generator and recogniser
    say what they take and make. Where the sampler's file is missing its vectors are taken for what the generator
    needs: a run says that the file is missing and starts nothing.
    """
    generator = components.resolve("generator", config.generator.type)
    taken = (METADATA | set(config.filter_names)) & set(generator.truth)
    if taken:
        yield ("generator", "type"), f"its truth columns {sorted(taken)} are names of filters or of our own metadata"
    unreadable = [(path, str(error)) for path, spec in config.components() if (error := _files_error(spec))]
    yield from unreadable
    if unreadable:
        return
    space = generator.vector_space
    if all(file.is_present for file in files_of(config.sampler_spec)):
        try:
            sampler = components.build(config.sampler_spec)
        except (ComponentError, VectorsError) as error:
            yield ("identities", "sampler"), str(error)
            return
        yield from _vectors_for_generator(sampler, generator)
        space = sampler.space or space
    elif space is None:
        return
    yield from _vectors_for_filters(config, space)


def _files_error(spec: ComponentSpec) -> SynthError | None:
    """Returns why options do not say which weight files they lead to; None where they do."""
    try:
        files_of(spec)
    except SynthError as error:
        return error
    return None


def _vectors_for_filters(config: RunConfig, space: str | None) -> Iterator[Mistake]:
    """Compares the vectors' space with the recogniser's where a filter compares vectors with embeddings."""
    recogniser = components.resolve("recogniser", config.recogniser.type)
    try:
        seen_in = recogniser.embedding_space(config.recogniser.options)
    except (ValueError, SynthError) as error:
        yield ("recogniser",), str(error)
        return
    for position, section in enumerate(config.filters):
        compares = components.resolve("filter", section.type).compares_with_vectors
        if compares and space != seen_in:
            name = config.filter_names[position]
            message = (
                f"{name} compares identity vectors ({named(space)}) with embeddings of {config.recogniser.type} "
                f"({named(seen_in)}); both must live in one space: remove it or change the recogniser"
            )
            yield ("filters", position, "type"), message


def _vectors_for_generator(sampler: IdentitySampler, generator: type[Generator]) -> Iterator[Mistake]:
    path = ("identities", "sampler")
    name = generator.__name__
    if sampler.dimension != generator.vector_size:
        yield path, f"makes vectors of {sampler.dimension} numbers, {name} takes {generator.vector_size}"
    if sampler.norm != generator.vector_norm:
        low, high = generator.norm_range
        lengths = "length 1" if generator.vector_norm == "unit" else f"their own lengths, {low:g} to {high:g}"
        yield (
            path,
            f"makes vectors of {sampler.norm} norm, {name} takes {generator.vector_norm} norm: vectors of {lengths}",
        )
    wanted = generator.vector_space
    if wanted is None or sampler.space == wanted:
        return
    known_as = f" ({SPACES[wanted]})" if wanted in SPACES else ""
    way_out = (
        f"declare `space: {wanted}` if they are meant for it"
        if sampler.space is None
        else "vectors of another network are unrelated numbers to it"
    )
    yield path, f"makes vectors of {named(sampler.space)}, {name} takes vectors of {named(wanted)}{known_as}; {way_out}"
