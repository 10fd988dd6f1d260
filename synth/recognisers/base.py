"""What a recogniser is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from synth.types import Embeddings, Faces, Images
from synth.weights.files import WeightFile


class Recogniser(ABC):
    """Finds, aligns and embeds the face of each image.

    Attributes:
        version: raised whenever the same images give other numbers; part of the fingerprint.
        embedding_size: E; where it follows from the options, `embedding_size_of` says it beforehand.
        space: name of the embedding space, a key of `synth.spaces.SPACES`; where it follows from the options, a
            property, and `embedding_space` says it beforehand.
        license: licence of its weights, as the dataset card says it; empty if it is not known.
    """

    version: ClassVar[int] = 1
    embedding_size: int
    space: str
    license: ClassVar[str] = ""

    @classmethod
    def embedding_space(cls, options: Mapping[str, Any]) -> str:
        """Returns the space of the embeddings that a recogniser with these options makes, without building it.

        Raises:
            ValueError: the options do not say which.
        """
        return cls.space

    @classmethod
    def embedding_size_of(cls, options: Mapping[str, Any]) -> int:
        """Returns E of a recogniser with these options, without building it."""
        return cls.embedding_size

    @classmethod
    def weight_files(cls, options: Mapping[str, Any]) -> list[WeightFile]:
        """Returns the files that the constructor reads when it is given these options; by default none."""
        return []

    @abstractmethod
    def recognise(self, images: Images) -> Faces:
        """Returns what it sees in uint8 RGB images (B, H, W, 3); the largest face of each counts."""

    @abstractmethod
    def embed(self, aligned: Images) -> Embeddings:
        """Embeds faces that are aligned already: uint8 RGB (F, 112, 112, 3) to float32 (F, E) of unit length."""
