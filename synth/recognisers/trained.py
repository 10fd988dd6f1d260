"""Recognisers that synth trained."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from synth.extras import require_extra
from synth.faces.detection import describe_largest
from synth.faces.embedding import embed_in_batches
from synth.faces.yunet import Yunet
from synth.precision import Precision
from synth.recognisers.base import Recogniser
from synth.types import Embeddings, Faces, Images
from synth.weights.files import WeightFile, require_files

_ORIGIN: Final = "`synth train` writes it"


class Trained(Recogniser):
    """YuNet detection with five landmarks, ArcFace alignment, embedding by a model that `synth train` wrote.

    Args:
        weights: model.safetensors of a training; its header says which backbone it is of.
        flip: add the embedding of the mirrored face before dividing by the length.
        precision: of the backbone.
        batch_size: faces it embeds at once.
        min_score: detector confidence from which a face counts, 0..1.
        detection_size: longer side of what the detector sees, px.
        device: 'cpu', 'cuda' or 'cuda:N'.

    Raises:
        ValueError: an argument is out of range.
        ComponentError: torch is not installed.
        WeightsError: the file is missing, damaged, or no model that synth trained.
    """

    def __init__(
        self,
        *,
        weights: str,
        flip: bool = True,
        precision: Precision = "float32",
        batch_size: int = 64,
        min_score: float = 0.5,
        detection_size: int = 160,
        device: str = "cpu",
    ) -> None:
        require_extra("train", "torch")
        from synth.torch_runtime import networks_fit, prepare
        from synth.training.model_file import load_model

        if batch_size < 1:
            raise ValueError(f"batch_size {batch_size}: expected at least 1")
        options = {"weights": weights}
        require_files(self.weight_files(options))
        self.space = self.embedding_space(options)
        self._yunet = Yunet(min_score=min_score, detection_size=detection_size, device=device)
        self._flip, self._precision, self._batch_size = flip, precision, batch_size
        self._device = prepare(device)
        network = load_model(Path(weights))
        self.embedding_size = network.embedding_size
        with networks_fit(self._device):
            self._network = network.to(self._device)

    @classmethod
    def embedding_space(cls, options: Mapping[str, Any]) -> str:
        """Returns the space that the model file names: each training makes its own."""
        require_extra("train", "torch")
        from synth.training.model_file import read_description

        return read_description(Path(options["weights"])).space

    @classmethod
    def embedding_size_of(cls, options: Mapping[str, Any]) -> int:
        """Returns what the model file says."""
        require_extra("train", "torch")
        from synth.training.model_file import read_description

        return read_description(Path(options["weights"])).embedding_size

    @classmethod
    def weight_files(cls, options: Mapping[str, Any]) -> list[WeightFile]:
        """Returns the model file."""
        return [WeightFile(path=Path(options["weights"]), origin=_ORIGIN, license="")]

    def recognise(self, images: Images) -> Faces:
        """Finds, aligns and embeds the largest face of each uint8 RGB image (B, H, W, 3)."""
        return describe_largest(images, self._yunet.detect(images), self.embed, self.embedding_size)

    def embed(self, aligned: Images) -> Embeddings:
        """Embeds faces that are aligned already: uint8 RGB (F, 112, 112, 3) to float32 (F, E) of unit length."""
        return embed_in_batches(aligned, self._batch_size, self.embedding_size, self._features)

    def _features(self, aligned: Images) -> npt.NDArray[np.float32]:
        """Returns embeddings of any length of one full batch."""
        from synth.torch_runtime import batch_fits
        from synth.training.embedding import features

        with batch_fits(len(aligned), "recogniser.batch_size"):
            return features(self._network, aligned, device=self._device, precision=self._precision, flip=self._flip)
