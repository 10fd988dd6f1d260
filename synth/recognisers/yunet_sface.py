"""The recogniser that comes with synth: YuNet finds the face, SFace embeds it."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from synth.alignment import align
from synth.onnx_runtime import open_session
from synth.recognisers.base import Recogniser
from synth.similarity import unit
from synth.spaces import SFACE
from synth.types import ALIGNED_SIZE, Embeddings, Faces, Images
from synth.yunet import OUTPUTS, STRIDES, Detections, decode

WEIGHTS: Final = Path(__file__).parent / "weights"
YUNET_SHA256: Final = "20e62bdb3b723e063583237fbbbee0b28e644d02ddd8b6945ee52140e992f027"
SFACE_SHA256: Final = "b2297d69a942a88949ae2ce718b0f0be1c3ea5f77719a39f4300f9a471255f08"

_BORDER = 32  # px of black around what the detector sees, so that a face may fill its image
_BATCH = 16  # images a session computes at once; more gains nothing on one core


class YunetSface(Recogniser):
    """YuNet detection with five landmarks, ArcFace alignment, SFace embedding; weights are in the package.

    YuNet: Wu, Peng and Yu (2023), "YuNet: A Tiny Millisecond-level Face Detector". SFace: Zhong, Deng, Hu, Zhao, Li
    and Wen (2021), "SFace: Sigmoid-Constrained Hypersphere Loss for Robust Face Recognition". Both as published in
    OpenCV Zoo, int8 block-quantised; `weights/README.md` says what was repaired, and gives the licences.

    Each image is scaled to `detection_size` and framed with 32 px of black before detection: faces of 10 to 300 px
    are what YuNet was trained on, and aligned crops, where the face fills the frame, are found too.

    Args:
        min_score: detector confidence from which a face counts, 0..1.
        detection_size: longer side of what the detector sees, px. Raise it for faces that are small in their image.
        device: 'cpu', 'cuda' or 'cuda:N'; CUDA takes an onnxruntime that was built with it.

    Raises:
        ValueError: an argument is out of range.
        WeightsError: a weights file is missing or altered, or the device cannot be used.
    """

    embedding_size: ClassVar[int] = 128
    space = SFACE
    license: ClassVar[str] = "MIT (YuNet), Apache-2.0 (SFace)"

    def __init__(self, *, min_score: float = 0.5, detection_size: int = 160, device: str = "cpu") -> None:
        if not 0 < min_score <= 1:
            raise ValueError(f"min_score {min_score}: expected 0 < min_score <= 1")
        if detection_size < STRIDES[-1]:
            raise ValueError(f"detection_size {detection_size}: expected at least {STRIDES[-1]} px")
        self._min_score = min_score
        self._detection_size = detection_size
        self._yunet = open_session(WEIGHTS / "yunet.onnx", device, YUNET_SHA256)
        self._sface = open_session(WEIGHTS / "sface.onnx", device, SFACE_SHA256)

    def recognise(self, images: Images) -> Faces:
        """Finds, aligns and embeds the largest face of each uint8 RGB image (B, H, W, 3)."""
        count = len(images)
        detections = self._detect(images)
        found = np.array([len(faces.scores) > 0 for faces in detections], dtype=np.bool_).reshape(count)
        scores = np.zeros(count, dtype=np.float32)
        boxes = np.zeros((count, 4), dtype=np.float32)
        landmarks = np.zeros((count, 5, 2), dtype=np.float32)
        for row in np.flatnonzero(found):
            faces = detections[row]
            largest = faces.largest()
            scores[row] = faces.scores[largest]
            boxes[row] = faces.boxes[largest]
            landmarks[row] = faces.landmarks[largest]
        aligned = np.zeros((count, ALIGNED_SIZE, ALIGNED_SIZE, 3), dtype=np.uint8)
        aligned[found] = align(images[found], landmarks[found])
        embeddings = np.zeros((count, self.embedding_size), dtype=np.float32)
        embeddings[found] = self.embed(aligned[found])
        return Faces(
            found=found,
            scores=scores,
            counts=np.array([len(faces.scores) for faces in detections], dtype=np.int32),
            boxes=boxes,
            landmarks=landmarks,
            aligned=aligned,
            embeddings=embeddings,
        )

    def embed(self, aligned: Images) -> Embeddings:
        """Embeds faces that are aligned already: uint8 RGB (B, 112, 112, 3) to float32 (B, 128) of unit length."""
        embeddings = np.empty((len(aligned), self.embedding_size), dtype=np.float32)
        for start in range(0, len(aligned), _BATCH):
            pixels = aligned[start : start + _BATCH].transpose(0, 3, 1, 2).astype(np.float32)
            embeddings[start : start + _BATCH] = self._sface.run(["fc1"], {"data": pixels})[0]
        return unit(embeddings)

    def _detect(self, images: Images) -> list[Detections]:
        """Returns the faces of each image, in px of the image."""
        detections: list[Detections] = []
        for start in range(0, len(images), _BATCH):
            framed, scale = _framed(images[start : start + _BATCH], self._detection_size)
            pixels = framed[..., ::-1].transpose(0, 3, 1, 2).astype(np.float32)  # YuNet takes BGR
            outputs = dict(zip(OUTPUTS, self._yunet.run(list(OUTPUTS), {"input": pixels}), strict=True))
            for row in range(len(framed)):
                faces = decode(outputs, row, framed.shape[2], self._min_score)
                detections.append(_unframed(faces, scale))
        return detections


def _framed(images: Images, size: int) -> tuple[Images, npt.NDArray[np.float32]]:
    """Scales images so that the longer side is `size`, with black around up to a multiple of YuNet's stride.

    Returns:
        uint8 (B, H', W', 3), and float32 (2,), the scale in x and y.
    """
    count, height, width = images.shape[:3]
    ratio = size / max(height, width)
    new_height, new_width = max(1, round(height * ratio)), max(1, round(width * ratio))
    step = STRIDES[-1]
    sides = [-(-(side + 2 * _BORDER) // step) * step for side in (new_height, new_width)]
    framed = np.zeros((count, *sides, 3), dtype=np.uint8)
    inside = framed[:, _BORDER : _BORDER + new_height, _BORDER : _BORDER + new_width]
    for image, place in zip(images, inside, strict=True):
        place[...] = Image.fromarray(image).resize((new_width, new_height), Image.Resampling.BILINEAR)
    return framed, np.array([new_width / width, new_height / height], dtype=np.float32)


def _unframed(faces: Detections, scale: npt.NDArray[np.float32]) -> Detections:
    """Moves detections from the framed image to the original one.

    Landmarks point at pixel centres, so half a pixel is added before scaling and taken off after; boxes are edges.
    """
    boxes = (faces.boxes.reshape(-1, 2, 2) - _BORDER) / scale
    landmarks = (faces.landmarks - _BORDER + 0.5) / scale - 0.5
    return Detections(
        scores=faces.scores,
        boxes=boxes.reshape(-1, 4).astype(np.float32),
        landmarks=landmarks.astype(np.float32),
    )
