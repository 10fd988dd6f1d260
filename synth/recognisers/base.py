"""What a recogniser is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from synth.types import Faces, Images


class Recogniser(ABC):
    """Finds, aligns and embeds the face of each image.

    Attributes:
        version: raised whenever the same images give other numbers; part of the fingerprint.
        embedding_size: E.
        space: name of the embedding space, compared with the one the identity vectors live in.
        license: licence of its weights, as the dataset card says it; empty if it is not known.
    """

    version: ClassVar[int] = 1
    embedding_size: ClassVar[int]
    space: ClassVar[str]
    license: ClassVar[str] = ""

    @abstractmethod
    def recognise(self, images: Images) -> Faces:
        """Returns what it sees in uint8 RGB images (B, H, W, 3); the largest face of each counts."""
