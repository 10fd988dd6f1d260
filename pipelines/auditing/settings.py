"""What the command line asks of an audit, checked before anything is read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import yaml
from pydantic import Field, ValidationError

from pipelines.schema import Component, RunConfig, Section, Similarity
from pipelines.weight_files import files_of
from synth import components
from synth.components import ComponentSpec
from synth.errors import ComponentError, ConfigError, SynthError
from synth.plain_yaml import read_plain_yaml
from synth.spaces import named
from synth.vectors.files import readable
from synth.weights.files import require_files

MOST_SAMPLES: Final = 100_000  # that are examined one by one; 512 numbers each take 200 MB
SEED: Final = 20_260_101  # of all that is drawn

Word = Annotated[str, Field(min_length=1)]


class GallerySection(Section):
    """A file of embeddings of real people that samples are compared with.

    Attributes:
        file: .npy, .npz, .safetensors or .parquet of float vectors.
        space: embedding space they live in.
        key: name of the array or column, where the file has several.
        labels: name of the array or column that says who each vector shows; with it thresholds are calibrated.
        thresholds: cosines at which samples are counted besides.
    """

    file: Word
    space: Word
    key: Word | None = None
    labels: Word | None = None
    thresholds: list[Similarity] = Field(default_factory=list)

    @property
    def path(self) -> Path:
        """Path of the file."""
        return Path(self.file)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSettings:
    """How a run is audited.

    Attributes:
        max_inter_class_similarity: bound on the cosine of two classes' centres; None: the run's own, if it has one.
        galleries: to compare with, of different spaces.
        recogniser: a second one, that embeds the samples once more; None: the run's alone.
        samples: about how many are examined one by one.
        device: that the second recogniser runs on.
    """

    max_inter_class_similarity: float | None = None
    galleries: Sequence[GallerySection] = ()
    recogniser: ComponentSpec | None = None
    samples: int = MOST_SAMPLES
    device: str = "cpu"


def read_gallery(text: str) -> GallerySection:
    """Reads a gallery from a YAML mapping like '{file: real.npz, space: sface}'.

    Raises:
        ConfigError: it is no such mapping.
    """
    return GallerySection.model_validate(_mapping("--gallery", text, GallerySection))


def read_recogniser(text: str) -> ComponentSpec:
    """Reads a recogniser from a YAML mapping like '{type: iresnet, weights: r100.pth, space: arcface_glint360k}'.

    Raises:
        ConfigError: it is no such mapping, or there is no such recogniser or option.
    """
    section = Component.model_validate(_mapping("--recogniser", text, Component))
    spec = ComponentSpec("recogniser", section.type, section.options)
    try:
        components.check(spec)
    except ComponentError as error:
        raise ConfigError("\n".join(f"--recogniser: {line}" for line in str(error).splitlines())) from error
    return spec


def check_settings(settings: AuditSettings, config: RunConfig) -> None:
    """Checks the bound, compares the spaces of galleries and recognisers, and looks for the files.

    Raises:
        ConfigError: the bound is no cosine, a gallery is of no recogniser's space or the second one of a space, or the
            second recogniser has no gallery.
        WeightsError: a weight file of the second recogniser is missing.
        VectorsError: a gallery is missing or of an unknown kind.
    """
    bound = settings.max_inter_class_similarity
    if bound is not None and not -1 <= bound <= 1:  # NaN is neither
        raise ConfigError(f"--max-inter: expected a cosine, -1 to 1, got {bound:g}")
    if settings.recogniser is None and not settings.galleries:
        return
    own = space_of(config.recogniser_spec)
    spaces = [own]
    if settings.recogniser is not None:
        second = space_of(settings.recogniser)
        name = settings.recogniser.type
        if second == own:
            raise ConfigError(f"--recogniser: {name} embeds into {named(own)} as the run's does; name another one")
        if second not in [gallery.space for gallery in settings.galleries]:
            raise ConfigError(f"--recogniser: {name} needs a --gallery of {named(second)} to compare its faces with")
        spaces.append(second)
        require_files(files_of(settings.recogniser))
    for position, gallery in enumerate(settings.galleries):
        if gallery.space not in spaces:
            ours, theirs = " and ".join(map(named, spaces)), named(gallery.space)
            raise ConfigError(
                f"--gallery {gallery.file}: its vectors are of {theirs}, the samples are embedded into {ours}; "
                f"give a gallery of that, or a --recogniser of {theirs}"
            )
        if gallery.space in [other.space for other in settings.galleries[:position]]:
            raise ConfigError(f"--gallery {gallery.file}: a second one of {named(gallery.space)}; join them in a file")
        with readable(gallery.path):
            pass


def space_of(spec: ComponentSpec) -> str:
    """Returns the space that a recogniser embeds into.

    Raises:
        ConfigError: its options do not say which.
    """
    try:
        return str(components.resolve("recogniser", spec.type).embedding_space(spec.options))
    except (ValueError, SynthError) as error:
        raise ConfigError(f"recogniser {spec.type}: {error}") from error


def _mapping(option: str, text: str, section: type[Section] | type[Component]) -> dict[str, Any]:
    """Returns the mapping of an option after checking it.

    Raises:
        ConfigError: with a line for each mistake.
    """
    try:
        data, _ = read_plain_yaml(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{option}: cannot be read as YAML: {text!r}") from error
    if not isinstance(data, dict):
        names = "file: FILE, space: NAME" if section is GallerySection else "type: NAME, ..."
        raise ConfigError(f"{option}: expected a mapping like '{{{names}}}', got {text!r}")
    try:
        section.model_validate(data)
    except ValidationError as error:
        lines = [
            f"{option}: {'.'.join(map(str, mistake['loc']))}: {components.describe(mistake)}"
            for mistake in error.errors(include_url=False)
        ]
        raise ConfigError("\n".join(lines)) from error
    return {str(name): value for name, value in data.items()}
