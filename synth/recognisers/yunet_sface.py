"""The recogniser that comes with synth: YuNet finds the face, SFace embeds it."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Final

import numpy as np

from synth.faces.detection import describe_largest
from synth.faces.yunet import Yunet
from synth.onnx_runtime import open_session
from synth.recognisers.base import Recogniser
from synth.similarity import unit
from synth.spaces import SFACE
from synth.types import Embeddings, Faces, Images

WEIGHTS: Final = Path(__file__).parent / "weights" / "sface.onnx"
SHA256: Final = "b2297d69a942a88949ae2ce718b0f0be1c3ea5f77719a39f4300f9a471255f08"

_BATCH = 16  # images a session computes at once; more gains nothing on one core


class YunetSface(Recogniser):
    """YuNet detection with five landmarks, ArcFace alignment, SFace embedding; weights are in the package.

    YuNet: Wu, Peng and Yu (2023), "YuNet: A Tiny Millisecond-level Face Detector". SFace: Zhong, Deng, Hu, Zhao, Li
    and Wen (2021), "SFace: Sigmoid-Constrained Hypersphere Loss for Robust Face Recognition". Both as published in
    OpenCV Zoo, int8 block-quantised; `weights/README.md` says what was repaired, and gives the licences.

    Args:
        min_score: detector confidence from which a face counts, 0..1.
        detection_size: longer side of what the detector sees, px. Raise it for faces that are small in their image.
        device: 'cpu', 'cuda' or 'cuda:N'; CUDA takes an onnxruntime that was built with it.

    Raises:
        ValueError: an argument is out of range.
        WeightsError: a weights file is missing or altered, or the device cannot be used.
    """

    embedding_size = 128
    space = SFACE
    license: ClassVar[str] = "MIT (YuNet), Apache-2.0 (SFace)"

    def __init__(self, *, min_score: float = 0.5, detection_size: int = 160, device: str = "cpu") -> None:
        self._yunet = Yunet(min_score=min_score, detection_size=detection_size, device=device)
        self._sface = open_session(WEIGHTS, device, SHA256)

    def recognise(self, images: Images) -> Faces:
        """Finds, aligns and embeds the largest face of each uint8 RGB image (B, H, W, 3)."""
        return describe_largest(images, self._yunet.detect(images), self.embed, self.embedding_size)

    def embed(self, aligned: Images) -> Embeddings:
        """Embeds faces that are aligned already: uint8 RGB (B, 112, 112, 3) to float32 (B, 128) of unit length."""
        embeddings = np.empty((len(aligned), self.embedding_size), dtype=np.float32)
        for start in range(0, len(aligned), _BATCH):
            pixels = aligned[start : start + _BATCH].transpose(0, 3, 1, 2).astype(np.float32)
            embeddings[start : start + _BATCH] = self._sface.run(["fc1"], {"data": pixels})[0]
        return unit(embeddings)
