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
        embedding_size: E.
        space: name of the embedding space, a key of `synth.spaces.SPACES`; where it follows from the options, a
            property, and `embedding_space` says it beforehand.
        license: licence of its weights, as the dataset card says it; empty if it is not known.
    """

    version: ClassVar[int] = 1
    embedding_size: ClassVar[int]
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
    def weight_files(cls, options: Mapping[str, Any]) -> list[WeightFile]:
        """Returns the files that the constructor reads when it is given these options; by default none."""
        return []

    def embed(self, aligned: Images) -> Embeddings:
        """Embeds faces that are on the ArcFace template already; where it cannot, it finds them once more.

        Args:
            aligned: uint8 RGB (B, 112, 112, 3).

        Returns:
            float32 (B, E) of unit length; zeros where it finds no face.
        """
        return self.recognise(aligned).embeddings

    @abstractmethod
    def recognise(self, images: Images) -> Faces:
        """Returns what it sees in uint8 RGB images (B, H, W, 3); the largest face of each counts."""
