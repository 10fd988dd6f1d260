"""What all face detectors share: how they are shown an image, and what becomes of the faces they find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from synth.alignment import align
from synth.types import ALIGNED_SIZE, Embeddings, Faces, Images

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Detections:
    """The faces of one image, best score first.

    Attributes:
        scores: float32 (F,), 0..1.
        boxes: float32 (F, 4), x0 y0 x1 y1, px.
        landmarks: float32 (F, 5, 2), x y, px: eyes, nose, mouth corners; the viewer's left one first.
    """

    scores: Float32
    boxes: Float32
    landmarks: Float32

    def largest(self) -> int:
        """Returns the row of the face with the largest box."""
        sides = self.boxes[:, 2:] - self.boxes[:, :2]
        return int(np.argmax(sides[:, 0] * sides[:, 1]))


def check_min_score(min_score: float) -> None:
    """Checks the confidence from which a face counts.

    Raises:
        ValueError: it is not above 0 and at most 1.
    """
    if not 0 < min_score <= 1:
        raise ValueError(f"min_score {min_score}: expected 0 < min_score <= 1")


def framed(images: Images, size: int, border: int, step: int) -> tuple[Images, Float32]:
    """Scales images and puts black around them: detectors miss faces that fill their image.

    Args:
        images: uint8 (B, H, W, 3).
        size: longer side of the scaled images, px.
        border: least black on each side, px; on top and left it is exactly this.
        step: what the sides of the result are multiples of, px.

    Returns:
        uint8 (B, H', W', 3), and float32 (2,), the scale in x and y.
    """
    count, height, width = images.shape[:3]
    ratio = size / max(height, width)
    new_height, new_width = max(1, round(height * ratio)), max(1, round(width * ratio))
    sides = [-(-(side + 2 * border) // step) * step for side in (new_height, new_width)]
    frames = np.zeros((count, *sides, 3), dtype=np.uint8)
    inside = frames[:, border : border + new_height, border : border + new_width]
    for image, place in zip(images, inside, strict=True):
        place[...] = Image.fromarray(image).resize((new_width, new_height), Image.Resampling.BILINEAR)
    return frames, np.array([new_width / width, new_height / height], dtype=np.float32)


def unframed(faces: Detections, scale: Float32, border: int) -> Detections:
    """Moves detections from the framed image to the original one.

    Landmarks point at pixel centres, so half a pixel is added before scaling and taken off after; boxes are edges.
    """
    boxes = (faces.boxes.reshape(-1, 2, 2) - border) / scale
    landmarks = (faces.landmarks - border + 0.5) / scale - 0.5
    return Detections(
        scores=faces.scores,
        boxes=boxes.reshape(-1, 4).astype(np.float32),
        landmarks=landmarks.astype(np.float32),
    )


def describe_largest(
    images: Images, detections: list[Detections], embed: Callable[[Images], Embeddings], embedding_size: int
) -> Faces:
    """Aligns and embeds the largest face of each image.

    Args:
        images: uint8 RGB (B, H, W, 3).
        detections: the faces of each image, in px of the image.
        embed: from aligned faces, uint8 RGB (F, 112, 112, 3), to float32 (F, E) of unit length.
        embedding_size: E.
    """
    count = len(images)
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
    embeddings = np.zeros((count, embedding_size), dtype=np.float32)
    embeddings[found] = embed(aligned[found])
    return Faces(
        found=found,
        scores=scores,
        counts=np.array([len(faces.scores) for faces in detections], dtype=np.int32),
        boxes=boxes,
        landmarks=landmarks,
        aligned=aligned,
        embeddings=embeddings,
    )
