"""The shape of a training configuration: every key, its type and its default."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from pipelines.schema import Component, Configuration, Positive, Section
from synth.components import ComponentSpec
from synth.training.augmentation.options import Augmentation
from synth.training.recipe import Recipe


class DataSection(Section):
    """What is trained on."""

    dataset: Annotated[str, Field(min_length=1)]
    held_out_identities: Positive
    min_images_per_identity: Positive = 2
    images_per_identity: Positive | None = None

    @property
    def folder(self) -> Path:
        """Of the dataset."""
        return Path(self.dataset)


class TrainConfig(Configuration):
    """A whole training."""

    seed: Annotated[int, Field(ge=0)]
    data: DataSection
    backbone: Component
    head: Component
    augmentation: Augmentation = Augmentation()
    recipe: Recipe

    def components(self) -> list[tuple[tuple[str | int, ...], ComponentSpec]]:
        """Returns each component with the path of its section in the file."""
        return [(("backbone",), self.backbone_spec), (("head",), self.head_spec)]

    @property
    def backbone_spec(self) -> ComponentSpec:
        """The backbone."""
        return ComponentSpec("backbone", self.backbone.type, self.backbone.options)

    @property
    def head_spec(self) -> ComponentSpec:
        """The head, without what follows from data and backbone."""
        return ComponentSpec("head", self.head.type, self.head.options)
