"""The shape of a training configuration: every key, its type and its default."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path, PurePosixPath
from typing import Annotated

from pydantic import Field

from pipelines.schema import Component, Configuration, Positive, Section
from synth.components import ComponentSpec
from synth.shards.object_store import is_url
from synth.training.augmentation.options import Augmentation
from synth.training.recipe import Recipe


class DataSection(Section):
    """What is trained on: a folder, or the URL of one in an object store, which is copied to a local one first."""

    dataset: Annotated[str, Field(min_length=1)]
    cache: Annotated[str, Field(min_length=1)] | None = None
    held_out_identities: Positive
    min_images_per_identity: Positive = 2
    images_per_identity: Positive | None = None

    @property
    def name(self) -> str:
        """What a person calls the dataset: its folder's name, or its run's."""
        place = PurePosixPath(self.dataset)
        return place.name if place.name != "dataset" else place.parent.name

    @property
    def folder(self) -> Path:
        """Where the dataset is, or is copied to."""
        if not is_url(self.dataset):
            return Path(self.dataset)
        if self.cache is not None:
            return Path(self.cache)
        caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        return caches / "synth" / hashlib.sha256(self.dataset.encode()).hexdigest()[:16]


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
