"""The shape of a configuration: every key, its type and its default."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from synth.components import ComponentSpec

Positive = Annotated[int, Field(ge=1)]
Similarity = Annotated[float, Field(ge=-1, le=1)]
Bound = Annotated[float, Field(allow_inf_nan=False)]


class Section(BaseModel):
    """A part of the file: unknown keys are mistakes and nothing is converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Configuration(Section, ABC):
    """A whole file."""

    @abstractmethod
    def components(self) -> list[tuple[tuple[str | int, ...], ComponentSpec]]:
        """Returns each component with the path of its section in the file."""


class Component(BaseModel):
    """A component by its type; all other keys are options of its constructor."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)

    type: Annotated[str, Field(min_length=1)]

    @property
    def options(self) -> Mapping[str, Any]:
        """Arguments of the constructor, as read from the file."""
        return dict(self.model_extra or {})


class FilterSection(Component):
    """A filter and the numbers that pass it; without bounds it is measured and shown only."""

    min: Bound | None = None
    max: Bound | None = None

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest number that pass; infinite where none is set."""
        return -math.inf if self.min is None else self.min, math.inf if self.max is None else self.max


class IdentitiesSection(Section):
    """How many identities there are, and where their vectors come from."""

    count: Positive
    sampler: Component


class ImagesSection(Section):
    """How many candidates each identity gets, how they are batched and how they are stored.

    Identities that the filters leave short of their quota get as many candidates again, up to `max_rounds` times in
    all. `batch_size` and `identities_per_shard` are part of the plan and decide bytes; the number of workers is not.
    """

    per_identity: Annotated[int, Field(ge=1, le=10_000)]
    max_rounds: Annotated[int, Field(ge=1, le=100)] = 1
    batch_size: Positive = 64
    identities_per_shard: Positive = 200
    encoding: Literal["jpeg", "png"] = "jpeg"
    quality: Annotated[int, Field(ge=1, le=100)] = 95


class MainClusterSection(Section):
    """How close an identity's images must lie together: DBSCAN on the cosines of their embeddings.

    Both belong to a recogniser. `min_similarity` is 1 - Eps, `min_samples` is MinPts of the algorithm.
    """

    min_similarity: Similarity
    min_samples: Positive


class BalanceSection(Section):
    """How many of the kept identities may be of one kind; exactly one of the two limits.

    The kind of an identity is what the generator knows about its first kept image, in a column of its table; `edges`
    cut numbers into kinds.
    """

    column: Annotated[str, Field(pattern="^truth_.")]
    edges: list[Bound] = []
    max_identities: Positive | None = None
    max_share: Annotated[float, Field(gt=0, lt=1)] | None = None


class SelectionSection(Section):
    """What an identity and its images need to stay, in this order whatever the file's; None sets no limit.

    Of two identities that are too similar one goes as a whole: the later one, or the one with fewer images left (of
    equally many the later one). They are never merged.
    """

    main_cluster: MainClusterSection | None = None
    images_per_identity: Positive | None = None
    min_images_per_identity: Positive = 1
    max_inter_class_similarity: Similarity | None = None
    twin_to_drop: Literal["later", "smaller"] = "later"
    balance: BalanceSection | None = None


class ExportSection(Component):
    """What the finished dataset looks like."""

    shard_size: Positive = 10_000
    crop: Literal["aligned", "generated"] = "aligned"


class RunConfig(Configuration):
    """A whole run."""

    seed: Annotated[int, Field(ge=0)]
    identities: IdentitiesSection
    generator: Component
    images: ImagesSection
    recogniser: Component
    filters: list[FilterSection] = []
    selection: SelectionSection = SelectionSection()
    export: ExportSection

    def components(self) -> list[tuple[tuple[str | int, ...], ComponentSpec]]:
        """Returns each component with the path of its section in the file."""
        found: list[tuple[tuple[str | int, ...], ComponentSpec]] = [
            (("identities", "sampler"), self.sampler_spec),
            (("generator",), self.generator_spec),
            (("recogniser",), self.recogniser_spec),
        ]
        found += [(("filters", i), spec) for i, spec in enumerate(self.filter_specs)]
        return [*found, (("export",), self.exporter_spec)]

    @property
    def sampler_spec(self) -> ComponentSpec:
        """The identity sampler."""
        return ComponentSpec("sampler", self.identities.sampler.type, self.identities.sampler.options)

    @property
    def generator_spec(self) -> ComponentSpec:
        """The generator."""
        return ComponentSpec("generator", self.generator.type, self.generator.options)

    @property
    def recogniser_spec(self) -> ComponentSpec:
        """The recogniser."""
        return ComponentSpec("recogniser", self.recogniser.type, self.recogniser.options)

    @property
    def filter_specs(self) -> list[ComponentSpec]:
        """The filters in the order of the file, without their bounds."""
        return [ComponentSpec("filter", section.type, section.options) for section in self.filters]

    @property
    def exporter_spec(self) -> ComponentSpec:
        """The exporter."""
        return ComponentSpec("exporter", self.export.type, self.export.options)

    @property
    def filter_names(self) -> list[str]:
        """Names of the filters' columns, in the order of the file."""
        return [filter_name(section.type) for section in self.filters]

    @property
    def quota(self) -> int:
        """Images an identity should have in the end: fewer, and it gets further candidates."""
        return self.selection.images_per_identity or self.selection.min_images_per_identity

    @property
    def image_extension(self) -> str:
        """Extension of a generated image in its tar."""
        return "jpg" if self.images.encoding == "jpeg" else "png"


def filter_name(type_name: str) -> str:
    """Returns the column and drop reason of a filter: the last part of its type."""
    return type_name.rpartition(".")[2]
